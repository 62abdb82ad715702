"""UniPC: a predictor of order p and a corrector of order p + 1 from the same evaluations."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from gddim_tf.choice import one_of_few
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.builder import Move, correcting_rows, pack
from gddim_tf.samplers.clipping import Clip, check_clip
from gddim_tf.samplers.data_prediction import (
    carry,
    data_columns,
    moments,
    polynomial_weights,
)
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
      clip: None, or the bound for the predicted image (or a `DynamicThreshold`).
      grid: time grid.

    Raises:
      ValueError: if `order` or `variant` is unknown, or `clip` is not positive.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> UniPC(order=3).table(VPSDE(), nfe=10).history
      4
    """

    order: int = 2
    variant: str = "bh2"
    clip: Clip | None = None

    def __post_init__(self) -> None:
        one_of_few("order", self.order, 1, 2, 3)
        one_of_few("variant", self.variant, "bh1", "bh2")
        check_clip(self.clip)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`; raises `ValueError` if a time has no noise."""
        steps = len(times) - 1
        orders = [min(self.order, i + 1, steps - i) for i in range(steps)]
        grid = _Grid.of(sde, times, max(orders) + 1)
        moves = [self._move(grid, i, i, orders[i]) for i in range(steps)]
        corrections = [self._move(grid, i, i + 1, orders[i] + 1) for i in range(steps - 1)]
        columns = data_columns(sde, times[:-1], self.clip)
        return dataclasses.replace(pack(correcting_rows(times, moves, corrections), sde), **columns)

    def _move(self, grid: _Grid, i: int, newest: int, count: int) -> Move:
        """Step i with `count` outputs, the newest of them at time number `newest`."""
        integrals = grid.moments[:count, i].copy()
        if count == 2:
            integrals[1] = integrals[0] / 2 * self._scale(grid.lambdas[i + 1] - grid.lambdas[i])
        if count > 1:
            nodes = grid.lambdas[newest + 1 - count : newest + 1][::-1] - grid.lambdas[i]
            where = nodes / (grid.lambdas[i + 1] - grid.lambdas[i])
            integrals = polynomial_weights(where, integrals)
        return grid.carries[i], integrals

    def _scale(self, h: float) -> float:
        """`B(h)` over `e^h - 1`, with `-h` in the place of h as data prediction has it."""
        return 1.0 if self.variant == "bh2" else h / -np.expm1(-h)


class _Grid(NamedTuple):
    """What all steps of a grid need, found at once.

    Attributes:
      lambdas: `-log rho`, `[steps + 1]`.
      carries: weights of the state, `[steps, *modes, k, k]`.
      moments: `[count, steps, *modes, k, k]`.
    """

    lambdas: np.ndarray
    carries: np.ndarray
    moments: np.ndarray

    @classmethod
    def of(cls, sde: LinearSDE, times: np.ndarray, count: int) -> _Grid:
        """Those of all steps of the times `[steps + 1]`, with `count` moments each."""
        starts, ends = times[:-1], times[1:]
        with np.errstate(divide="ignore"):  # at an end without noise, where no polynomial is used
            lambdas = -np.log(sde.rho(times))
        return cls(
            lambdas,
            carry(sde, starts, ends, "data"),
            moments(sde, starts, ends, count, "data"),
        )
