"""Stochastic gDDIM: the reverse diffusion of a single data point, solved exactly."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.checks import fraction
from gddim_tf.numerics.linalg import positive_root, transpose
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.builder import Row, pack
from gddim_tf.samplers.methods.gddim import denoising_step
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class StochasticGDDIM(Sampler):
    """`u' = Psi u + (Psi_hat - Psi) R eps + noise`, which leaves the noise of a step to choose.

    Its covariance is `Sigma_t - Psi_hat Sigma_s Psi_hat^T`, and `Psi_hat` the transition of
    `F + (1 + lambda^2) / 2 G G^T Sigma^{-1}`: whatever lambda, the marginals are those of the
    diffusion. On one component this is `DDIM(eta)`; it exists on every diffusion.
    gDDIM (Zhang et al., 2023), eq. 22, with the covariance that keeps the marginal.

        >>> import gddim_tf as gd
        >>> gd.samplers.StochasticGDDIM(lam=0.5).table(gd.sdes.CLD(), nfe=10).stochastic
        True

    Args:
      lam: lambda, the noise, in [0, 1]: 0 is `GDDIM(order=0)`, 1 the reverse diffusion itself.
      denoise: whether to end with one more evaluation, which takes the noise away that is left.
      grid: time grid.

    Raises:
      ValueError: if `lam` is out of range.
    """

    lam: float = 1.0
    denoise: bool = False

    def __post_init__(self) -> None:
        fraction(lam=self.lam)

    def steps_of(self, nfe: int) -> int:
        """See `Sampler.steps_of`."""
        steps = nfe - self.denoise
        if steps < 1:
            raise ValueError(f"`nfe` must be at least 2 for {self}, received {nfe}")
        return steps

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`.

        Raises:
          ValueError: if a denoising step is asked for where there is no noise, or on a grid that
            goes from data to noise.
        """
        start, end = times[:-1], times[1:]
        psi, reverse = sde.transition(end, start), sde.reverse_transition(end, start, self.lam)
        prediction = (reverse - psi) @ sde.root(start)
        covariance = sde.covariance(end) - reverse @ sde.covariance(start) @ transpose(reverse)
        factors = positive_root(covariance)
        rows = [Row(t, *row) for t, *row in zip(start, psi, prediction[:, None], strict=True)]
        if self.lam > 0:
            rows = [dataclasses.replace(r, noise=f) for r, f in zip(rows, factors, strict=True)]
        if self.denoise:
            rows.append(Row(times[-1], *denoising_step(sde, times)))
        return pack(rows, sde)
