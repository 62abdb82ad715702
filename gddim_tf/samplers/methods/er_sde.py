"""ER-SDE: the reverse diffusion with a noise that depends on the noise level."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.choice import one_of_few
from gddim_tf.numerics.quadrature import legendre
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.clipping import Clip, check_clip
from gddim_tf.samplers.data_prediction import data_columns
from gddim_tf.samplers.table import Table, multistep_table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class ERSDE(Sampler):
    """`u_t / m_t = r u_s / m_s + (1 - r) D + I1 D' + I2 D'' + sqrt(rho_t^2 - r^2 rho_s^2) z`.

    `r = phi(rho_t) / phi(rho_s)` with the noise scale `phi(x) = x (exp(x^0.3) + 10)`; `phi = x` is
    the probability flow and `x^2` the reverse diffusion. D is a Taylor polynomial in rho with
    backward differences for its derivatives, and `I_k = (rho_t - rho_s)^k / k! +
    phi(rho_t) int (rho - rho_s)^(k-1) / (k-1)! / phi(rho) drho` from `rho_t` to `rho_s`.
    ER-SDE-Solver (Cui et al., 2023), algorithms 1 to 5, on diffusions of one component; with a blur
    each frequency has its own rho.

    Args:
      order: 1, 2 or 3. The first steps use as many outputs as there are; the last one uses one if
        the grid ends where there is no noise.
      clip: None, or the bound for the predicted image (or a `DynamicThreshold`).
      grid: time grid.

    Raises:
      ValueError: if `order` is not 1, 2 or 3 or `clip` not positive.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> ERSDE().table(VPSDE(), nfe=10).stochastic
      True
    """

    order: int = 3
    clip: Clip | None = None

    def __post_init__(self) -> None:
        one_of_few("order", self.order, 1, 2, 3)
        check_clip(self.clip)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid; raises `ValueError` on an SDE of more components than one."""
        if sde.components > 1:
            raise ValueError(
                f"ERSDE needs an SDE of 1 component, received {sde.components}; "
                "SDEDPMSolver is the stochastic solver there"
            )
        signal = sde.transition(times, np.zeros_like(times))
        rho = sde.root(times) / signal
        orders = [min(self.order, i + 1) for i in range(len(times) - 1)]
        if np.all(rho[-1] == 0):
            orders[-1] = 1
        ratio = noise_scale(rho[1:]) / noise_scale(rho[:-1])
        weights = [
            signal[i + 1] * _weights(rho[i + 1], rho[max(i - 2, 0) : i + 1][::-1], ratio[i], order)
            for i, order in enumerate(orders)
        ]
        spread = np.maximum(rho[1:] ** 2 - (ratio * rho[:-1]) ** 2, 0.0)
        return multistep_table(
            times[:-1],
            ratio * signal[1:] / signal[:-1],
            weights,
            noise=signal[1:] * np.sqrt(spread),
            mode_index=sde.mode_index,
            **data_columns(sde, times[:-1], self.clip),
        )


def noise_scale(rho: np.ndarray) -> np.ndarray:
    """`phi(rho) = rho (exp(rho^0.3) + 10)`."""
    return rho * (np.exp(rho**0.3) + 10)


def _weights(end: np.ndarray, before: np.ndarray, ratio: np.ndarray, order: int) -> np.ndarray:
    """Of the outputs at the noise levels `before`, newest first, in a step to `end`."""
    weights = [1 - ratio]
    if order > 1:
        width = before[0] - before[1]
        first = _integral(before[0], end, 1)
        weights = [weights[0] + first / width, -first / width]
    if order > 2:
        second = _integral(before[0], end, 2) / (0.5 * (before[0] - before[2]))
        earlier = before[1] - before[2]
        weights[0] += second / width
        weights[1] -= second / width + second / earlier
        weights.append(second / earlier)
    return np.stack(weights)


def _integral(start: np.ndarray, end: np.ndarray, power: int) -> np.ndarray:
    """`I_power`, by Gauss-Legendre quadrature in the logarithm of rho."""
    x, w, _ = legendre()
    low, high = np.log(end)[..., None], np.log(start)[..., None]
    rho = np.exp(low + (high - low) * 0.5 * (x + 1))
    inside = (rho - start[..., None]) ** (power - 1) / noise_scale(rho) * rho
    integral = 0.5 * (high - low)[..., 0] * (inside @ w)
    return (end - start) ** power / power + noise_scale(end) * integral
