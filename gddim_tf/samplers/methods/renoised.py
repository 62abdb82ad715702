"""Samplers that go back towards the noise on the way: EDM's churn and Restart."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np

from gddim_tf.checks import not_negative, positive, whole
from gddim_tf.choice import one_of_few
from gddim_tf.numerics.linalg import positive_root, transpose
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.builder import Row, pack, steps_within
from gddim_tf.samplers.grids import Grid, RhoGrid
from gddim_tf.samplers.methods.rho_rk import exponential_step
from gddim_tf.samplers.methods.runge_kutta import TABLEAUX
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class EDMChurn(Sampler):
    """EDM's stochastic sampler: before each step a little noise, then Heun in rho.

    From the time of rho to that of `(1 + gamma) rho` by the forward diffusion, with
    `gamma = min(churn / N, sqrt(2) - 1)` for N steps, where `low <= rho <= high`, but no further
    than t_max. The last step is Euler's: `2 N - 1` evaluations, N for "euler".
    EDM (Karras et al., 2022), algorithm 2 and section 4.

    Args:
      churn: `S_churn`, at least 0.
      low: `S_min`, in rho.
      high: `S_max`, at least `low`, may be infinite.
      noise: `S_noise`, the deviation of the noise that is added, above 0.
      method: "heun" or "euler".
      grid: time grid.

    Raises:
      ValueError: if an argument is unknown or out of range.

    Examples:
      >>> from gddim_tf.sdes import VESDE
      >>> EDMChurn().table(VESDE.karras(), nfe=19).nfe
      19
    """

    churn: float = 40.0
    low: float = 0.05
    high: float = 50.0
    noise: float = 1.003
    method: str = "heun"
    grid: Grid = dataclasses.field(default=RhoGrid(7.0))

    def __post_init__(self) -> None:
        not_negative(churn=self.churn)
        positive(noise=self.noise)
        not_negative(low=self.low)
        if self.high != math.inf:
            not_negative(high=self.high)
        if self.low > self.high:
            raise ValueError(
                f"`low` must be at most `high`, received low={self.low} and high={self.high}"
            )
        one_of_few("method", self.method, "heun", "euler")

    def steps_of(self, nfe: int) -> int:
        """See `Sampler.steps_of`."""
        stages = 2 if self.method == "heun" else 1
        return steps_within(nfe, lambda steps: stages * (steps - 1) + 1, "EDMChurn")

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`."""
        steps, rows, first = len(times) - 1, [], None
        gamma = min(self.churn / steps, 2**0.5 - 1)
        for i, (start, end) in enumerate(itertools.pairwise(times)):
            rho, back = sde.rho(start), start
            if gamma and self.low <= rho <= self.high and start < sde.t_max:
                back = min(float(sde.time_of_rho((1 + gamma) * rho)), sde.t_max)
                forward, spread = forward_step(sde, start, back)
                if rows:
                    rows[-1] = moved(rows[-1], forward, self.noise * spread)
                else:
                    first = (forward, self.noise * spread)
            whole = self.method == "heun" and i + 1 < steps
            tableau = TABLEAUX["2heun" if whole else "1euler"]
            rows += exponential_step(sde, back, end, tableau, "rho")
        return dataclasses.replace(pack(rows, sde), start=first)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Restart(Sampler):
    """Heun in rho, and several times back from rho = low to high and down again on the way.

    Each time the forward diffusion adds the noise at once, and `steps` Heun steps, even in
    `rho^(1/7)`, come back. It costs `2 N - 1 + 2 repeats steps` evaluations for a grid of N steps.
    Restart (Xu et al., 2023), algorithm 1, with one interval.

    Args:
      low: of rho; the time of the grid whose rho is nearest is taken.
      high: of rho.
      repeats: how often, at least 1.
      steps: of each return, at least 1.
      grid: time grid.

    Raises:
      ValueError: if an argument is out of range.

    Examples:
      >>> from gddim_tf.sdes import VESDE
      >>> Restart(repeats=1).table(VESDE.karras(), nfe=21).stochastic
      True
    """

    low: float = 0.05
    high: float = 0.3
    repeats: int = 2
    steps: int = 3
    grid: Grid = dataclasses.field(default=RhoGrid(7.0))

    def __post_init__(self) -> None:
        positive(low=self.low, high=self.high)
        if self.low >= self.high:
            raise ValueError(
                f"`low` and `high` must satisfy 0 < low < high, received {self.low} and {self.high}"
            )
        whole("repeats", self.repeats, 1)
        whole("steps", self.steps, 1)

    def steps_of(self, nfe: int) -> int:
        """See `Sampler.steps_of`."""
        extra = 2 * self.repeats * self.steps
        return steps_within(nfe, lambda steps: 2 * (steps + 1) - 1 + extra, "Restart") + 1

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`; raises `ValueError` for less than two steps."""
        if len(times) < 3:
            raise ValueError(f"a grid for Restart must have at least 2 steps, received {times}")
        inner = times[1:-1]
        turn = 1 + int(np.argmin(np.abs(sde.rho(inner) - self.low)))
        high = min(float(sde.time_of_rho(self.high)), sde.t_max)
        if high <= times[turn]:
            raise ValueError(
                f"`high` must be above the rho of the grid next to `low`, "
                f"{sde.rho(times[turn]):.4g}, received {self.high}"
            )
        first, last = sde.rho(np.array([high, times[turn]])) ** (1 / 7)
        returns = sde.time_of_rho(np.linspace(first, last, self.steps + 1) ** 7)
        returns[0], returns[-1] = high, times[turn]
        forward, spread = forward_step(sde, times[turn], high)
        rows = self._steps(sde, times[: turn + 1])
        for _ in range(self.repeats):
            rows[-1] = moved(rows[-1], forward, spread)
            rows += self._steps(sde, returns)
        return pack(rows + self._steps(sde, times[turn:], last="1euler"), sde)

    def _steps(self, sde: LinearSDE, times: np.ndarray, last: str = "2heun") -> list[Row]:
        rows = []
        for i, (start, end) in enumerate(itertools.pairwise(times)):
            name = last if i + 2 == len(times) else "2heun"
            rows += exponential_step(sde, start, end, TABLEAUX[name], "rho")
        return rows


def forward_step(sde: LinearSDE, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    """The forward diffusion from s to a later t: `Psi(t, s)` and a root of what it adds."""
    forward = sde.transition(end, start)
    added = sde.covariance(end) - forward @ sde.covariance(start) @ transpose(forward)
    return forward, positive_root(added)


def moved(row: Row, matrix: np.ndarray, noise: np.ndarray) -> Row:
    """A row whose result goes on to `matrix @ point + noise @ z`."""
    return dataclasses.replace(
        row,
        state=matrix @ row.state,
        kept=[matrix @ weight for weight in row.kept],
        scratch=[matrix @ weight for weight in row.scratch],
        noise=noise,
    )
