"""Euler and Heun on the probability flow, the baselines."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.choice import one_of_few
from gddim_tf.samplers.builder import Row
from gddim_tf.samplers.methods.rho_rk import exponential_step
from gddim_tf.samplers.methods.runge_kutta import RungeKutta, Tableau
from gddim_tf.samplers.weights import noise_pull
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class Euler(RungeKutta):
    """Euler on the probability flow `u' = F u + 1/2 G G^T R^{-T} eps`, the naive baseline.

    Score-SDE (Song et al., 2021), eq. 13.

    Args:
      flow: "t" for the equation above; "rho" for `dv / d rho = eps`, which is DDIM.
      grid: time grid.

    Raises:
      ValueError: if `flow` is unknown.

    Examples:
      >>> Euler().steps_of(10)
      10
    """

    method: str = dataclasses.field(default="1euler", init=False)
    last: str = dataclasses.field(default="full", init=False)
    flow: str = "t"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of_few("flow", self.flow, "t", "rho")

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
      flow: "t" for the equation of `Euler`; "rho" for `dv / d rho = eps`.
      grid: time grid.

    Raises:
      ValueError: if `flow` is unknown.

    Examples:
      >>> Heun().steps_of(19)  # two evaluations a step, one in the last
      10
    """

    method: str = dataclasses.field(default="2heun", init=False)
    last: str = dataclasses.field(default="euler", init=False)


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
        drift, noise = sde.drift(times[i]), 0.5 * noise_pull(sde, times[i])
        slopes.append((drift @ state, [*(drift @ output for output in outputs), noise]))
        final = i + 1 == tableau.stages
        weights = tableau.b if final else tableau.a[i]
        slope = np.add.reduce([w * s for w, (s, _) in zip(weights, slopes, strict=True)])
        state = identity + width * slope
        outputs = [
            width * np.add.reduce([weights[m] * slopes[m][1][j] for m in range(j, i + 1)])
            for j in range(i + 1)
        ]
        rows.append(Row(times[i], state, (), outputs[::-1], keep=False, commit=final))
    return rows
