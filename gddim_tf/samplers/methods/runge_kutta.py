"""Runge-Kutta methods: their numbers, and the base of the samplers that use them."""

from __future__ import annotations

import abc
import dataclasses
import itertools

import numpy as np

from gddim_tf.choice import one_of_few
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.builder import Row, pack, steps_within
from gddim_tf.samplers.grids import Grid
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True)
class Tableau:
    """The numbers of an explicit Runge-Kutta method.

    Attributes:
      a: for each stage after the first, the weights of the stages before it.
      b: weights of the stages in the result.
    """

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]

    @property
    def stages(self) -> int:
        """Evaluations a step takes."""
        return len(self.b)

    @property
    def c(self) -> np.ndarray:
        """Positions of the stages within the step, `[stages]`."""
        return np.array([0.0, *(sum(row) for row in self.a)])


# The methods of DEIS (Zhang and Chen, 2023), appendix H; the digit is the order.
TABLEAUX: dict[str, Tableau] = {
    "1euler": Tableau((), (1.0,)),
    "2heun": Tableau(((1.0,),), (1 / 2, 1 / 2)),
    "3kutta": Tableau(((1 / 2,), (-1.0, 2.0)), (1 / 6, 2 / 3, 1 / 6)),
    "3heun": Tableau(((1 / 3,), (0.0, 2 / 3)), (1 / 4, 0.0, 3 / 4)),
    "3ralston": Tableau(((1 / 2,), (0.0, 3 / 4)), (2 / 9, 1 / 3, 4 / 9)),
    "3vdh": Tableau(((8 / 15,), (1 / 4, 5 / 12)), (1 / 4, 0.0, 3 / 4)),
    "3ssprk": Tableau(((1.0,), (1 / 4, 1 / 4)), (1 / 6, 1 / 6, 2 / 3)),
    "4rk": Tableau(((1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6)),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RungeKutta(Sampler):
    """Base of the one-step methods: `steps x stages` evaluations, nothing kept between steps.

    Args:
      method: a key of `TABLEAUX`.
      last: "full", or "euler" to end with one Euler step, for grids that end where there is no
        noise and thus no evaluation (EDM's choice).
      grid: time grid.

    Raises:
      ValueError: if `method` or `last` is unknown.
    """

    method: str = "3kutta"
    last: str = "full"

    def __post_init__(self) -> None:
        if self.method not in list(TABLEAUX):
            raise ValueError(f"`method` must be one of {list(TABLEAUX)}, received {self.method!r}")
        one_of_few("last", self.last, "full", "euler")

    def steps_of(self, nfe: int) -> int:
        """`nfe / stages`, or with a last Euler step `(nfe - 1) / stages + 1`."""
        stages = TABLEAUX[self.method].stages
        spared = stages - 1 if self.last == "euler" else 0
        return steps_within(
            nfe, lambda steps: stages * steps - spared, f'"{self.method}" (last = "{self.last}")'
        )

    def times(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """See `Sampler.times`; the stages of a last full step end at `t_earliest`, not before."""
        if self.last == "euler" or TABLEAUX[self.method].stages == 1:
            return self.grid(sde, steps)
        return times_of_full_steps(self.grid, sde, steps)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid; raises `ValueError` if a stage falls where there is no noise."""
        rows = []
        for i, (start, end) in enumerate(itertools.pairwise(times)):
            euler = self.last == "euler" and i == len(times) - 2
            tableau = TABLEAUX["1euler" if euler else self.method]
            if end == 0 and np.any(tableau.c == 1) and sde.rho(0.0) == 0:
                raise ValueError(
                    f'`last` must be "euler" for "{self.method}" on a grid that ends at t = 0, '
                    f"where {type(sde).__name__} has no noise, received {self.last!r}"
                )
            rows += self.step(sde, start, end, tableau)
        return pack(rows, sde)

    @abc.abstractmethod
    def step(self, sde: LinearSDE, start: float, end: float, tableau: Tableau) -> list[Row]:
        """The rows of one step."""


def times_of_full_steps(grid: Grid, sde: LinearSDE, steps: int) -> np.ndarray:
    """A grid whose last step has all its stages, by `t_earliest` at the latest.

    It starts before that, where other grids have their last evaluation, and ends at `t_min`.
    """
    last = max(sde.t_min, sde.t_earliest)
    times = grid(sde.until(last), steps)
    return np.append(times[:-1], sde.t_min) if times[-1] == last else times
