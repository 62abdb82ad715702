"""rhoRK of DEIS on every linear diffusion.

For a diffusion with one component, `v = u / m` obeys `dv / d rho = eps`, and rhoRK is a classical
Runge-Kutta method in rho. In general `d(Psi(0, t) u) = d(Psi(0, t) R(t)) eps`: a step integrates
that matrix measure exactly against polynomials in the step's position `theta` in [0, 1], whose
plain integrals are the numbers of the tableau. With a measure `d rho` these are rhoRK's weights;
with any other, the order of the tableau is kept (measured) and a constant eps is still exact.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.samplers.builder import Row
from gddim_tf.samplers.methods.runge_kutta import RungeKutta, Tableau
from gddim_tf.samplers.weights import INVERSES, VARIABLES, check_variable, flow_integrals, lagrange
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class RhoRK(RungeKutta):
    """DEIS's rhoRK, and its extension to matrices (see the module).

    DEIS (Zhang and Chen, 2023), section 4 and appendix H; "1euler" is DDIM.

    Args:
      method: "1euler", "2heun", "3kutta", "3heun", "3ralston", "3vdh" (van der Houwen), "3ssprk"
        or "4rk".
      variable: what stages are placed in; "rho" is the published method.
      last: "full", or "euler" to end with one Euler step, for grids that end where there is no
        noise and thus no evaluation.
      grid: time grid.

    Raises:
      ValueError: if an argument is unknown.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> RhoRK(method="4rk").table(VPSDE(), nfe=20).nfe
      20
    """

    variable: str = "rho"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_variable(self.variable)

    def step(self, sde: LinearSDE, start: float, end: float, tableau: Tableau) -> list[Row]:
        """The rows of one step."""
        return exponential_step(sde, start, end, tableau, self.variable)


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
    # stages go no further than the first label, and the result reaches beyond them
    last = end if tableau.stages == 1 else max(end, sde.t_earliest)
    if last == start:
        raise ValueError(
            f"a step with {tableau.stages} evaluations must start before the first label of "
            f"{type(sde).__name__}, received one from t = {start:g} to {end:g}"
        )
    low, high = VARIABLES[variable](sde, np.array([start, last]))
    times = np.where(tableau.c == 0, start, last)
    inside = (tableau.c > 0) & (tableau.c < 1)
    times[inside] = INVERSES[variable](sde, low + tableau.c[inside] * (high - low))

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
