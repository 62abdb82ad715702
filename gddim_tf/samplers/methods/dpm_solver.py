"""DPM-Solver++ and DPM-Solver, the multistep methods in `lambda = -log rho`."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.choice import one_of_few
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.clipping import Clip, check_clip
from gddim_tf.samplers.data_prediction import (
    carry,
    data_columns,
    moments,
    polynomial_weights,
)
from gddim_tf.samplers.table import Table, multistep_table
from gddim_tf.sdes import LinearSDE

# A run of fewer steps than this ends with steps of order 2 and 1, as the published codes do.
_FEW_STEPS = 15


@dataclasses.dataclass(frozen=True, kw_only=True)
class DPMSolver(Sampler):
    """DPM-Solver++ 2M and 3M: multistep in the predicted data, with lambda as the variable.

    For one component, with `h = lambda_t - lambda_s` and the backward differences `D1, D2` of D in
    lambda, `u_t = sigma_t / sigma_s u_s + W0 D + W1 D1 + W2 D2` and
    `W_k = m_t h int_0^1 exp(-h (1 - p)) p^k dp`. The published formulas replace `W1` by `W0 / 2`
    at order 2 (the "midpoint" type) and `W2` by `W2 / 2` at order 3, which therefore converges with
    order 2 only; `formula="polynomial"` integrates the interpolating polynomial itself.
    On other diffusions the weights are the same integrals with matrices, see `data_prediction`.
    DPM-Solver++ (Lu et al., 2022), section 4.

    Args:
      order: 1 (DDIM), 2 or 3. The first steps use as many outputs as there are; with fewer than
        15 steps the last two fall back to order 2 and 1; the last one also does if the grid ends
        where there is no noise.
      prediction: "data" for DPM-Solver++, "eps" for DPM-Solver.
      formula: "published" or "polynomial".
      clip: None, or the bound for the predicted image (or a `DynamicThreshold`).
      grid: time grid.

    Raises:
      ValueError: if an argument is unknown, or `clip` is given without data prediction or not
        positive.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> DPMSolver(order=3).table(VPSDE(), nfe=10).history
      3
    """

    order: int = 2
    prediction: str = "data"
    formula: str = "published"
    clip: Clip | None = None

    def __post_init__(self) -> None:
        one_of_few("order", self.order, 1, 2, 3)
        one_of_few("prediction", self.prediction, "data", "eps")
        one_of_few("formula", self.formula, "published", "polynomial")
        if self.prediction == "eps" and self.clip is not None:
            raise ValueError(f'`clip` must be None for `prediction` = "eps", received {self.clip}')
        check_clip(self.clip)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`; raises `ValueError` if a time has no noise."""
        weights, orders = [], self._orders(sde, times)
        state = carry(sde, times[:-1], times[1:], self.prediction)
        several = moments(sde, times[:-1], times[1:], max(orders), self.prediction)
        with np.errstate(divide="ignore"):  # at an end without noise, where order is 1
            log_rho = np.log(sde.rho(times))
        for i, order in enumerate(orders):
            integrals = several[:order, i].copy()
            if self.formula == "published" and order == 2:
                integrals[1] = integrals[0] / 2
            if self.formula == "published" and order == 3:
                integrals[2] = integrals[2] / 2
            where = np.zeros(1)
            if order > 1:
                nodes = log_rho[i + 1 - order : i + 1][::-1] - log_rho[i]
                where = nodes / (log_rho[i + 1] - log_rho[i])
            weights.append(polynomial_weights(where, integrals))
        columns = {}
        if self.prediction == "data":
            columns = data_columns(sde, times[:-1], self.clip)
        return multistep_table(times[:-1], state, weights, mode_index=sde.mode_index, **columns)

    def _orders(self, sde: LinearSDE, times: np.ndarray) -> list[int]:
        steps = len(times) - 1
        orders = [min(self.order, i + 1) for i in range(steps)]
        if steps < _FEW_STEPS:
            orders[-2:] = [
                min(order, left) for order, left in zip(orders[-2:], (2, 1)[-steps:], strict=True)
            ]
        if sde.rho(times[-1]) == 0:
            orders[-1] = 1
        return orders
