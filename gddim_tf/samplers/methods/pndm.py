"""Pseudo numerical methods: classical multistep formulas in eps, moved by DDIM's transfer.

`phi(x, eps; t -> s) = Psi x + (R_s - Psi R_t) eps` is exact while eps is constant. A pseudo
numerical method puts a classical linear combination of outputs in the place of eps. Those formulas
assume equal steps, so grids here are uniform in t; on a discrete schedule that is
`SubsequenceGrid()`. The noise does not change equally within them, so that the order of convergence
is 2 whatever that of the formula, with or without signal at t_max. A cosine schedule ends in one
capped beta, a jump on which the pseudo Runge-Kutta starts blow up: begin below it, as
`SubsequenceGrid("uniform")` does.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import ClassVar

import numpy as np

from gddim_tf.choice import one_of_few
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.builder import Row, pack
from gddim_tf.samplers.grids import Grid, PowerGrid
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE
from gddim_tf.sdes.times import Times

# Adams-Bashforth weights of the outputs, newest first.
_ADAMS_BASHFORTH = {
    1: np.array([1.0]),
    2: np.array([3.0, -1.0]) / 2,
    3: np.array([23.0, -16.0, 5.0]) / 12,
    4: np.array([55.0, -59.0, 37.0, -9.0]) / 24,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class IPNDM(Sampler):
    """iPNDM: Adams-Bashforth in eps, its order rising from 1 over the first steps.

    One evaluation a step and no Runge-Kutta start. DEIS (Zhang and Chen, 2023), appendix H.

    Args:
      order: the highest order, 1 (DDIM) to 4.
      late_order: the highest in the second half of the steps, where networks are rough.
      grid: time grid.

    Raises:
      ValueError: if an order is outside 1 to 4.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> IPNDM().table(VPSDE(), nfe=10).history
      4
    """

    order: int = 4
    late_order: int = 4
    grid: Grid = dataclasses.field(default=PowerGrid(1.0))

    def __post_init__(self) -> None:
        for name, order in (("order", self.order), ("late_order", self.late_order)):
            one_of_few(name, order, *_ADAMS_BASHFORTH)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`."""
        return pack(_adams_bashforth(sde, times, 0, self.order, self.late_order), sde)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PLMS(Sampler):
    """Pseudo improved Euler in the first step, then Adams-Bashforth of rising order.

    The first step averages eps at its start and at its predicted end, at which eps is evaluated
    once more afterwards: N steps take N + 1 evaluations. It is the variant of F-PNDM that became
    known with Stable Diffusion (diffusers' PNDMScheduler with `skip_prk_steps`).

    Args:
      order: the highest order, 2 to 4.
      grid: time grid.

    Raises:
      ValueError: if `order` is outside 2 to 4.

    Examples:
      >>> PLMS().steps_of(10)  # the first step takes two evaluations
      9
    """

    order: int = 4
    grid: Grid = dataclasses.field(default=PowerGrid(1.0))
    _name: ClassVar[str] = "PLMS"

    def __post_init__(self) -> None:
        one_of_few("order", self.order, 2, 3, 4)

    def steps_of(self, nfe: int) -> int:
        """`nfe - 1`; raises `ValueError` for less than two steps."""
        return after_warm_up(nfe, 1, 2, self._name)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`."""
        psi, weight = transfer(sde, times[0], times[1])
        start = [
            Row(times[0], psi, [weight], commit=False),
            Row(times[1], psi, [weight / 2], [weight / 2], keep=False),
        ]
        return pack(start + _adams_bashforth(sde, times, 1, self.order), sde)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SPNDM(PLMS):
    """S-PNDM: pseudo improved Euler in the first step, then `(3 eps_n - eps_{n-1}) / 2`.

    N steps take N + 1 evaluations. PNDM (Liu et al., 2022), section 3.

    Args:
      grid: time grid.

    Examples:
      >>> SPNDM().steps_of(10)
      9
    """

    order: int = dataclasses.field(default=2, init=False)
    _name: ClassVar[str] = "S-PNDM"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FPNDM(Sampler):
    """F-PNDM: three pseudo Runge-Kutta steps of order four, then Adams-Bashforth of order four.

    The first three steps take four evaluations each, so N steps take N + 9, and N is at least 4.
    PNDM (Liu et al., 2022), section 3.

    Args:
      grid: time grid.

    Examples:
      >>> FPNDM().steps_of(20)  # each of the first three steps takes four evaluations
      11
    """

    grid: Grid = dataclasses.field(default=PowerGrid(1.0))

    def steps_of(self, nfe: int) -> int:
        """`nfe - 9`; raises `ValueError` for less than four steps."""
        return after_warm_up(nfe, 9, 4, "F-PNDM")

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`; raises `ValueError` for less than four steps."""
        rows = []
        for t, s in first_three(times, "F-PNDM"):
            middle = 0.5 * (t + s)
            half, half_weight = transfer(sde, t, middle)
            full, weight = transfer(sde, t, s)
            rows += [
                Row(t, half, [half_weight], commit=False),
                Row(middle, half, (), [half_weight], keep=False, commit=False),
                Row(middle, full, (), [weight], keep=False, commit=False),
                Row(s, full, [weight / 6], [weight / 6, weight / 3, weight / 3], keep=False),
            ]
        return pack(rows + _adams_bashforth(sde, times, 3, 4), sde)


def transfer(sde: LinearSDE, t: Times, s: Times) -> tuple[np.ndarray, np.ndarray]:
    """DDIM's step from times t to times s: the weights of the state and of eps. PNDM, eq. 11."""
    psi = sde.transition(s, t)
    return psi, sde.root(s) - psi @ sde.root(t)


def _adams_bashforth(
    sde: LinearSDE, times: np.ndarray, first: int, order: int, late_order: int = 4
) -> list[Row]:
    """The steps from `first` on, each of the highest order that the kept outputs allow."""
    (psi, weight), steps = transfer(sde, times[:-1], times[1:]), len(times) - 1
    highest = [order if 2 * i < steps else min(order, late_order) for i in range(steps)]
    return [
        Row(times[i], psi[i], [a * weight[i] for a in _ADAMS_BASHFORTH[min(highest[i], i + 1)]])
        for i in range(first, steps)
    ]


def adams_bashforth_weights(order: int) -> np.ndarray:
    """Weights of the outputs, newest first, of order 1 to 4."""
    return _ADAMS_BASHFORTH[order]


def first_three(times: np.ndarray, method: str) -> list[tuple[float, float]]:
    """The ends of the three steps that a method begins with.

    Raises:
      ValueError: if the grid has less than four steps.
    """
    if len(times) < 5:
        raise ValueError(
            f"a grid for {method} must have at least 4 steps, received {len(times) - 1}"
        )
    return list(itertools.pairwise(times[:4]))


def after_warm_up(nfe: int, extra: int, least: int, method: str) -> int:
    """The steps that a budget leaves when its start takes `extra` evaluations more.

    Raises:
      ValueError: if they are less than `least`.
    """
    if nfe < least + extra:
        raise ValueError(f"`nfe` must be at least {least + extra} for {method}, received {nfe}")
    return nfe - extra
