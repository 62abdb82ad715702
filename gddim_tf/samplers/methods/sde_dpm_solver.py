"""SDE-DPM-Solver++, the multistep methods of the reverse diffusion in the predicted data."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.checks import positive
from gddim_tf.choice import one_of_few
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.clipping import Clip, check_clip
from gddim_tf.samplers.data_prediction import (
    data_columns,
    polynomial_weights,
    positions,
    reverse_moments,
)
from gddim_tf.samplers.table import Table, multistep_table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class SDEDPMSolver(Sampler):
    """`u_t = Psi_hat u_s + W0 D + W1 D1 + W2 D2 + noise`: exact noise, D a polynomial in lambda.

    The weights are those of `DPMSolver` with `Psi_hat` of the reverse diffusion. At order 2 the
    published type "midpoint" has `W0 / 2` in the place of `W1`, "heun" has `W1` itself; at order 3
    all published codes have `W2 / 2`, and "heun" in the second step.
    DPM-Solver++ (Lu et al., 2022), section 5; 3M is that of k-diffusion.

    Args:
      order: 1, 2 or 3. The first steps use as many outputs as there are; the last one uses one if
        the grid ends where there is no noise.
      lam: the noise, above 0; 1 is the reverse diffusion. k-diffusion's `eta` is its square.
      kind: "midpoint" or "heun", of order 2.
      clip: None, or the bound for the predicted image (or a `DynamicThreshold`).
      grid: time grid.

    Raises:
      ValueError: if an argument is unknown or out of range.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> SDEDPMSolver(lam=0.5).table(VPSDE(), nfe=10).stochastic
      True
    """

    order: int = 2
    lam: float = 1.0
    kind: str = "midpoint"
    clip: Clip | None = None

    def __post_init__(self) -> None:
        one_of_few("order", self.order, 1, 2, 3)
        positive(lam=self.lam)
        one_of_few("kind", self.kind, "midpoint", "heun")
        check_clip(self.clip)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`; raises `ValueError` if a time has no noise."""
        orders = [min(self.order, i + 1) for i in range(len(times) - 1)]
        if sde.rho(times[-1]) == 0:
            orders[-1] = 1
        state, weights, noise = [], [], []
        for i, order in enumerate(orders):
            start, end = times[i], times[i + 1]
            back, moments, spread = reverse_moments(sde, start, end, order, self.lam)
            if order == 2 == self.order and self.kind == "midpoint":
                moments[1] = moments[0] / 2
            if order == 3:
                moments[2] = moments[2] / 2
            nodes = times[i + 1 - order : i + 1][::-1]
            where = positions(sde, start, end, nodes) if order > 1 else np.zeros(1)
            state.append(back)
            weights.append(polynomial_weights(where, moments))
            noise.append(spread)
        return multistep_table(
            times[:-1],
            np.stack(state),
            weights,
            noise=np.stack(noise),
            mode_index=sde.mode_index,
            **data_columns(sde, times[:-1], self.clip),
        )
