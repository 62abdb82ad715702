"""Samplers that follow the reverse diffusion: Euler-Maruyama and ancestral sampling."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.checks import not_negative
from gddim_tf.choice import one_of_few
from gddim_tf.numerics.linalg import positive_root, transpose
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.clipping import Clip, check_clip
from gddim_tf.samplers.data_prediction import data_columns
from gddim_tf.samplers.table import Table, multistep_table
from gddim_tf.samplers.weights import noise_pull
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class EulerMaruyama(Sampler):
    """Euler steps of `du = (F u - (1 + lambda^2) / 2 G G^T s) dt + lambda G dw`, backwards in time.

    Every lambda has the same marginals: 0 is the probability flow, 1 the reverse diffusion.
    Score-SDE (Song et al., 2021), eq. 6; gDDIM (Zhang et al., 2023), section 2.

    Args:
      lam: lambda, at least 0.
      grid: time grid.

    Raises:
      ValueError: if `lam` is negative.

    Examples:
      >>> from gddim_tf.sdes import CLD
      >>> EulerMaruyama(lam=0.0).table(CLD(), nfe=10).stochastic  # Euler's method
      False
    """

    lam: float = 1.0

    def __post_init__(self) -> None:
        not_negative(lam=self.lam)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`."""
        start = times[:-1]
        width = np.diff(times).reshape(-1, *(1,) * (len(sde.modes) + 2))
        state = np.eye(sde.components) + width * sde.drift(start)
        weight = width * 0.5 * (1 + self.lam**2) * noise_pull(sde, start)
        noise = self.lam * np.sqrt(np.abs(width)) * sde.diffusion(start) if self.lam else None
        return multistep_table(
            start, state, list(weight[:, None]), noise=noise, mode_index=sde.mode_index
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ancestral(Sampler):
    """Ancestral sampling: `u_t ~ q(u_t | u_s, D)` with the predicted data D.

    The mean is `Psi_hat u + (Psi(t, 0) - Psi_hat Psi(s, 0)) D` and
    `Psi_hat = Sigma_t Psi(s, t)^T Sigma_s^{-1}`; the covariance is that of the posterior,
    `Sigma_t - Psi_hat Sigma_s Psi_hat^T` ("small"), or of the forward step from t to s,
    `Sigma_s - Psi(s, t) Sigma_t Psi(s, t)^T` ("large", for DDPM beta), without noise in the last
    step. On every diffusion "small" is `StochasticGDDIM()`, for one component also `DDIM(eta=1)`;
    "large" with `clip=1` is the sigma-hat of DDIM's experiments.
    DDPM (Ho et al., 2020), eq. 7 and section 3.2; DDIM (Song et al., 2021), section 5.

    Args:
      variance: "small" or "large".
      clip: None, or the bound for the predicted image (or a `DynamicThreshold`), 1 in DDPM.
      grid: time grid.

    Raises:
      ValueError: if `variance` is unknown or `clip` is not positive.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> Ancestral(clip=1.0).table(VPSDE(), nfe=10).nfe
      10
    """

    variance: str = "small"
    clip: Clip | None = None

    def __post_init__(self) -> None:
        one_of_few("variance", self.variance, "small", "large")
        check_clip(self.clip)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`."""
        start, end, zero = times[:-1], times[1:], np.zeros(len(times) - 1)
        back = sde.reverse_transition(end, start, 1.0)
        weight = sde.transition(end, zero) - back @ sde.transition(start, zero)
        if self.variance == "small":
            covariance = sde.covariance(end) - back @ sde.covariance(start) @ transpose(back)
        else:
            forward = sde.transition(start, end)
            covariance = sde.covariance(start) - forward @ sde.covariance(end) @ transpose(forward)
            covariance[-1] = 0.0
        return multistep_table(
            start,
            back,
            list(weight[:, None]),
            noise=positive_root(covariance),
            mode_index=sde.mode_index,
            **data_columns(sde, start, self.clip),
        )
