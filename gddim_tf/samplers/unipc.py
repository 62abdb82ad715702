"""UniPC: a predictor of order p and a corrector of order p + 1 from the same evaluations."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.data_prediction import (
    carry,
    data_columns,
    moments,
    polynomial_weights,
    positions,
)
from gddim_tf.samplers.rows import Row, pack
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class UniPC(Sampler):
    """UniPC-p in the predicted data: the evaluation at a predicted point also corrects it.

    Each step is predicted from the corrected state with p outputs, and corrected, once the output
    at its end is known, with p + 1; one evaluation a step. Both integrate the polynomial in lambda
    through the outputs exactly (UniP and UniC determine their weights so), except with a single
    unknown (the predictor at p = 2, the corrector at p = 1), where the weight of the difference is
    `B(h) / 2` with `B1 = h` or `B2 = e^h - 1`. UniPC (Zhao et al., 2023), section 3.

    Args:
      order: p, 1 to 3. The first steps use as many outputs as there are, the last ones as many as
        steps remain.
      variant: "bh1" or "bh2"; bh2 is the published default, bh1 is meant for guided sampling
        with few evaluations.
      clip: None, or the bound for the predicted image.
      grid: time grid.

    Raises:
      ValueError: if `order` or `variant` is unknown.
    """

    order: int = 2
    variant: str = "bh2"
    clip: float | None = None

    def __post_init__(self) -> None:
        if self.order not in (1, 2, 3):
            raise ValueError(f"`order` must be 1, 2 or 3, received {self.order}")
        if self.variant not in ("bh1", "bh2"):
            raise ValueError(f'`variant` must be "bh1" or "bh2", received {self.variant!r}')

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`; raises `ValueError` if a time has no noise."""
        steps = len(times) - 1
        orders = [min(self.order, i + 1, steps - i) for i in range(steps)]
        rows = []
        for i in range(steps):
            onward = carry(sde, times[i], times[i + 1], "data")
            forecast = self._weights(sde, times, i, times[i + 1 - orders[i] : i + 1][::-1])
            if i == 0:
                back = np.broadcast_to(np.eye(sde.components), onward.shape)
                correction = np.zeros((1, *onward.shape))
            else:
                back = carry(sde, times[i - 1], times[i], "data")
                nodes = times[i - orders[i - 1] : i + 1][::-1]
                correction = self._weights(sde, times, i - 1, nodes)
            both = np.zeros((max(len(forecast), len(correction)), *onward.shape))
            both[: len(forecast)] += forecast
            both[: len(correction)] += onward @ correction
            last = i + 1 == steps  # no evaluation is left that could correct it
            corrected = {} if last else {"corrected_state": back, "corrected": correction}
            rows.append(Row(times[i], onward @ back, both, **corrected))
        columns = data_columns(sde, times[:-1], self.clip)
        return dataclasses.replace(pack(rows, sde), **columns)

    def _weights(self, sde: LinearSDE, times: np.ndarray, i: int, nodes: np.ndarray) -> np.ndarray:
        """Weights of the outputs at `nodes` in step i."""
        start, end = times[i], times[i + 1]
        integrals = moments(sde, start, end, len(nodes), "data")
        if len(nodes) == 1:
            return integrals
        if len(nodes) == 2:
            integrals[1] = integrals[0] / 2 * self._scale(sde, start, end)
        return polynomial_weights(positions(sde, start, end, nodes), integrals)

    def _scale(self, sde: LinearSDE, start: float, end: float) -> float:
        """`B(h)` over `e^h - 1`, with `-h` in the place of h as data prediction has it."""
        if self.variant == "bh2":
            return 1.0
        h = np.log(sde.rho(start)) - np.log(sde.rho(end))
        return h / -np.expm1(-h)
