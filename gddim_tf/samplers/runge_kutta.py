"""Runge-Kutta samplers: rhoRK of DEIS on every linear diffusion, Euler and Heun as baselines.

For a diffusion with one component, `v = u / m` obeys `dv / d rho = eps`, and rhoRK is a classical
Runge-Kutta method in rho. In general `d(Psi(0, t) u) = d(Psi(0, t) R(t)) eps`: a step integrates
that matrix measure exactly against polynomials in the step's position `theta` in [0, 1], whose
plain integrals are the numbers of the tableau. With a measure `d rho` these are rhoRK's weights;
with any other, the order of the tableau is kept (measured) and a constant eps is still exact.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.rows import Row, pack, steps_within
from gddim_tf.samplers.table import Table
from gddim_tf.samplers.weights import INVERSES, VARIABLES, check_variable, flow_integrals, lagrange
from gddim_tf.sdes import LinearSDE
from gddim_tf.sdes.linalg import transpose


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
        if self.method not in TABLEAUX:
            raise ValueError(f"`method` must be one of {list(TABLEAUX)}, received {self.method!r}")
        if self.last not in ("full", "euler"):
            raise ValueError(f'`last` must be "full" or "euler", received {self.last!r}')

    def steps_of(self, nfe: int) -> int:
        """`nfe / stages`, or with a last Euler step `(nfe - 1) / stages + 1`."""
        stages = TABLEAUX[self.method].stages
        spared = stages - 1 if self.last == "euler" else 0
        return steps_within(
            nfe, lambda steps: stages * steps - spared, f'"{self.method}" (last = "{self.last}")'
        )

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

    def step(self, sde: LinearSDE, start: float, end: float, tableau: Tableau) -> list[Row]:
        """The rows of one step."""
        raise TypeError(f"{type(self).__name__} must define `step`")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RhoRK(RungeKutta):
    """DEIS's rhoRK, and its extension to matrices (see the module).

    DEIS (Zhang and Chen, 2023), section 4 and appendix H; "1euler" is DDIM.

    Args:
      method: "1euler", "2heun", "3kutta", "3heun", "3ralston", "3vdh" (van der Houwen), "3ssprk"
        or "4rk".
      variable: what stages are placed in; "rho" is the published method.
      last: see `RungeKutta`.
      grid: time grid.

    Raises:
      ValueError: if an argument is unknown.
    """

    variable: str = "rho"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_variable(self.variable)

    def step(self, sde: LinearSDE, start: float, end: float, tableau: Tableau) -> list[Row]:
        """The rows of one step."""
        return exponential_step(sde, start, end, tableau, self.variable)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Euler(RungeKutta):
    """Euler on the probability flow `u' = F u + 1/2 G G^T R^{-T} eps`, the naive baseline.

    Score-SDE (Song et al., 2021), eq. 13.

    Args:
      flow: "t" for the equation above; "rho" for `dv / d rho = eps`, which is DDIM.
      grid: time grid.

    Raises:
      ValueError: if `flow` is unknown.
    """

    method: str = dataclasses.field(default="1euler", init=False)
    last: str = dataclasses.field(default="full", init=False)
    flow: str = "t"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.flow not in ("t", "rho"):
            raise ValueError(f'`flow` must be "t" or "rho", received {self.flow!r}')

    def step(self, sde: LinearSDE, start: float, end: float, tableau: Tableau) -> list[Row]:
        """The rows of one step."""
        if self.flow == "rho":
            return exponential_step(sde, start, end, tableau, "rho")
        return plain_step(sde, start, end, tableau)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heun(Euler):
    """Heun's second order method, its last step by Euler: `2 N - 1` evaluations for N steps.

    EDM (Karras et al., 2022), algorithm 1, is `Heun(flow="rho")` on `VESDE.karras()` with
    `RhoGrid(7)`.

    Args:
      flow: as in `Euler`.
      grid: time grid.

    Raises:
      ValueError: if `flow` is unknown.
    """

    method: str = dataclasses.field(default="2heun", init=False)
    last: str = dataclasses.field(default="euler", init=False)


def exponential_step(
    sde: LinearSDE,
    start: float,
    end: float,
    tableau: Tableau,
    variable: str,
    keep_first: bool = False,
) -> list[Row]:
    """One Runge-Kutta step whose weights integrate `d(Psi R)` exactly.

    The state at stage i gets `int p_ij(theta) dY` of output j, with `p_ij = 2 a_ij theta / c_i^2`
    for j > 0 and the rest of 1 for j = 0; the result gets the integrals of the Lagrange polynomials
    of the positions c, shared by b where two stages have the same position.

    Args:
      sde: the diffusion.
      start: s, where the step starts.
      end: t, where it ends.
      tableau: the method.
      variable: what positions are linear in.
      keep_first: whether the first output enters the history, for a multistep method to go on with.

    Returns:
      One row per stage; the last one commits.
    """
    low, high = VARIABLES[variable](sde, np.array([start, end]))
    positions = tableau.c
    times = np.where(positions == 0, start, end)
    inside = (positions > 0) & (positions < 1)
    times[inside] = INVERSES[variable](sde, low + positions[inside] * (high - low))

    def theta(tau: np.ndarray) -> np.ndarray:
        return (VARIABLES[variable](sde, tau) - low) / (high - low)

    rows = []
    for i in range(tableau.stages):
        final = i + 1 == tableau.stages
        target = end if final else times[i + 1]

        basis = _result_basis if final else _stage_basis
        weights = flow_integrals(
            sde, start, target, lambda tau, i=i, basis=basis: basis(tableau, i, theta(tau))
        )[::-1]  # newest first
        kept, scratch = (weights[-1:], weights[:-1]) if keep_first else ((), weights)
        rows.append(
            Row(
                time=times[i],
                state=sde.transition(target, start),
                kept=kept,
                scratch=scratch,
                keep=keep_first and i == 0,
                commit=final,
            )
        )
    return rows


def _stage_basis(tableau: Tableau, i: int, theta: np.ndarray) -> np.ndarray:
    """`p_(i+1)j` for j = 0..i, `[i + 1, n]`."""
    row = np.array(tableau.a[i])
    later = 2 * row[1:, None] * theta / sum(row) ** 2
    return np.concatenate([1 - later.sum(0, keepdims=True), later])


def _result_basis(tableau: Tableau, _: int, theta: np.ndarray) -> np.ndarray:
    """The derivative of the continuous result, whose integrals are b, `[stages, n]`."""
    positions = tableau.c
    distinct, index = np.unique(positions, return_inverse=True)
    together = np.bincount(index, weights=tableau.b)[index]
    share = np.divide(tableau.b, together, out=np.ones(len(positions)), where=together != 0)
    return lagrange(distinct, theta)[index] * share[:, None]


def plain_step(sde: LinearSDE, start: float, end: float, tableau: Tableau) -> list[Row]:
    """One classical Runge-Kutta step on `u' = F u + 1/2 G G^T R^{-T} eps` in t.

    Every stage is linear in the committed state and the outputs, and so is its slope.

    Args:
      sde: the diffusion.
      start: where the step starts.
      end: where it ends.
      tableau: the method.

    Returns:
      One row per stage; the last one commits.
    """
    width, times = end - start, start + tableau.c * (end - start)
    identity = np.broadcast_to(np.eye(sde.components), sde.transition(start, start).shape)
    state, outputs, slopes, rows = identity, [], [], []
    for i in range(tableau.stages):
        drift, diffusion = sde.drift(times[i]), sde.diffusion(times[i])
        noise = 0.5 * diffusion @ transpose(np.linalg.solve(sde.root(times[i]), diffusion))
        slopes.append((drift @ state, [*(drift @ output for output in outputs), noise]))
        final = i + 1 == tableau.stages
        weights = tableau.b if final else tableau.a[i]
        state = identity + width * sum(w * s for w, (s, _) in zip(weights, slopes, strict=True))
        outputs = [
            width * sum(weights[m] * slopes[m][1][j] for m in range(j, i + 1)) for j in range(i + 1)
        ]
        rows.append(Row(times[i], state, (), outputs[::-1], keep=False, commit=final))
    return rows
