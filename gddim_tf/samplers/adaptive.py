"""Adaptive Runge-Kutta on the probability flow, with TensorFlow Probability's Dormand-Prince."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.loop import EpsFn
from gddim_tf.samplers.weights import INVERSES, VARIABLES, check_variable
from gddim_tf.sdes import LinearSDE
from gddim_tf.sdes.collocation import interpolation_matrix, legendre
from gddim_tf.sdes.tf_linear_ode import exact_dormand_prince

# Compiled solvers of the most recent networks.
_COMPILED_SOLVERS = 8

# The interval in which the flow is differentiated, relative to t and to rho, and its nodes.
_WINDOW, _WINDOW_NODES = 0.05, 10

# How the graph says what went wrong; the first is TFP's wording.
_TOO_MANY, _NOT_FINITE = "max_num_steps exceeded", "`eps_fn` must return finite values"

# Where a discrete schedule is left for the data, as a share of t_max: one training step of 1000.
_LAST_SHARE = 1e-3


class Solution(NamedTuple):
    """The end of a trajectory.

    Attributes:
      state: like the state at the start.
      nfe: how many network evaluations it took, an int.
    """

    state: tf.Tensor
    nfe: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class RK45:
    """Dormand-Prince 5(4) on `du/dt = F u + 1/2 G G^T R^{-T} eps`, its steps chosen by tolerance.

    The number of evaluations follows from the tolerances, not from a budget, and so this is not a
    table: use `solve`. Steps are chosen for the whole batch, so that an image depends, within the
    tolerances, on the others. The matrices of the diffusion are computed by NumPy where they are
    needed: the graph runs on this machine, but can neither be exported nor compiled by XLA.
    Score-SDE (Song et al., 2021), appendix D.2; `tfp.math.ode.DormandPrince`.

    Args:
      rtol: relative tolerance of a step, per element.
      atol: absolute tolerance of a step, per element.
      max_steps: most steps, accepted or not.
      variable: what is integrated in, a key of `VARIABLES`; a schedule from a table of betas needs
        one of the rho, in which it is smooth.

    Raises:
      ValueError: if a number is not positive or `variable` is unknown.
    """

    rtol: float = 1e-5
    atol: float = 1e-5
    max_steps: int = 10_000
    variable: str = "log_rho"

    def __post_init__(self) -> None:
        for name in ("rtol", "atol", "max_steps"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`{name}` must be positive, received {getattr(self, name)}")
        check_variable(self.variable)

    def solve(
        self,
        sde: LinearSDE,
        eps_fn: EpsFn,
        u: tf.Tensor,
        *,
        start: float | None = None,
        end: float | None = None,
        context: dict[str, tf.Tensor] | None = None,
    ) -> Solution:
        """The state at `end` of the trajectory through `u` at `start`.

        Args:
          sde: any linear diffusion.
          eps_fn: as in `run`.
          u: `[batch, ..., k * C]`, float32 or float64.
          start: `sde.t_max` if None.
          end: `sde.t_min` if None. Where the data are at `t = 0` and without noise, the solver
            stops at `t_max / 1000` and an order-0 step makes the rest.
          context: as in `run`.

        Returns:
          The state and the number of network evaluations.

        Raises:
          ValueError: if a time is outside `[0, t_max]`, if the network returns something that is
            not finite, or if `max_steps` are not enough.
        """
        u = tf.convert_to_tensor(u)
        start = sde.t_max if start is None else float(start)
        end = sde.t_min if end is None else float(end)
        for name, time in (("start", start), ("end", end)):
            if not 0 <= time <= sde.t_max:
                raise ValueError(f"`{name}` must be in [0, {sde.t_max}], received {time}")
        if start == 0:
            raise ValueError("`start` must be above 0, received 0")
        stop = end if end > 0 else min(_LAST_SHARE * sde.t_max, start)
        ends = VARIABLES[self.variable](sde, np.array([start, stop]))
        solver = _compiled(self, sde, eps_fn)
        try:
            state, nfe = solver(u, tf.constant(ends), dict(context or {}))
        except tf.errors.InvalidArgumentError as error:
            if _TOO_MANY in error.message:
                raise ValueError(
                    f"`max_steps` must be larger for these tolerances, received {self.max_steps}"
                ) from error
            if _NOT_FINITE in error.message:
                raise ValueError(f"{_NOT_FINITE}, received NaN or Inf") from error
            raise
        if stop != end:
            eps = eps_fn(
                state, tf.fill([state.shape[0]], tf.cast(stop, u.dtype)), **(context or {})
            )
            psi = sde.transition(end, stop)
            weight = sde.root(end) - psi @ sde.root(stop)
            state = sde.apply(tf.constant(psi, u.dtype), state) + sde.apply(
                tf.constant(weight, u.dtype), eps
            )
            nfe += 1
        return Solution(state, int(nfe))


@functools.lru_cache(maxsize=_COMPILED_SOLVERS)
def _compiled(sampler: RK45, sde: LinearSDE, eps_fn: EpsFn) -> Any:
    matrices = functools.partial(flow_matrices, sde, sampler.variable)
    shape = (*sde.modes, sde.components, sde.components)

    @functools.partial(tf.function, autograph=False)
    def solve(u: tf.Tensor, ends: tf.Tensor, context: dict[str, tf.Tensor]) -> Any:
        sign = tf.sign(ends[1] - ends[0])

        def flow(distance: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
            """The slope in the variable's distance from the start."""
            z = ends[0] + sign * tf.cast(distance, tf.float64)
            t, drift, pull = tf.numpy_function(matrices, [z], [tf.float64] * 3)
            drift, pull = (tf.ensure_shape(sign * m, shape) for m in (drift, pull))
            time = tf.fill([tf.shape(state)[0]], tf.cast(t, state.dtype))
            eps = tf.cast(eps_fn(state, time, **context), state.dtype)
            eps = tf.debugging.assert_all_finite(eps, _NOT_FINITE)
            drift, pull = tf.cast(drift, state.dtype), tf.cast(pull, state.dtype)
            return sde.apply(drift, state) + sde.apply(pull, eps)

        span = tf.cast(tf.abs(ends[1] - ends[0]), u.dtype)
        solver = _landing_solver(sampler, span)
        results = solver.solve(flow, tf.zeros([], u.dtype), u, solution_times=span[None])
        # TFP does not count the evaluation with which it starts
        return results.states[0], results.diagnostics.num_ode_fn_evaluations + 1

    return solve


def flow_matrices(
    sde: LinearSDE, variable: str, z: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The probability flow `du/dz = A u + B eps` at one value z of a variable.

    `A = -d Psi(t, t') / dz'` and `B = d [Psi(t, t') R(t')] / dz'` at `z' = z`, from the
    interpolating polynomial in z over a few hundredths of t or rho. (Derivatives in time times
    `dt/dz` would do where a schedule is smooth in time; a table of betas is smooth in rho only.)

    Args:
      sde: the diffusion.
      variable: a key of `VARIABLES`.
      z: `[]`.

    Returns:
      The time, A and B `[*modes, k, k]`.
    """
    t = INVERSES[variable](sde, z)
    sides = np.array([1 - _WINDOW, 1 + _WINDOW])
    in_rho = sde.time_of_rho(sde.rho(t) * sides)
    around = np.array([max(t * sides[0], in_rho[0]), min(t * sides[1], in_rho[1], sde.t_max)])
    low, high = VARIABLES[variable](sde, around)
    x, _, derivative = legendre(_WINDOW_NODES)
    times = INVERSES[variable](sde, low + (high - low) * 0.5 * (x + 1))
    here = 2 * (z - low) / (high - low) - 1
    slope = interpolation_matrix(np.array([here]), _WINDOW_NODES)[0] @ derivative
    slope *= 2 / (high - low)
    psi = sde.transition(np.full_like(times, t), times)
    return (
        np.float64(t),
        -np.tensordot(slope, psi, axes=(0, 0)),
        np.tensordot(slope, psi @ sde.root(times), axes=(0, 0)),
    )


def _landing_solver(sampler: RK45, span: tf.Tensor) -> Any:
    """Dormand-Prince whose last step ends at `span`, where TFP's would pass it and interpolate."""
    dormand_prince = exact_dormand_prince()
    beyond = span * (1 + 8 * np.finfo(span.dtype.as_numpy_dtype).eps)

    class LandingDormandPrince(dormand_prince.DormandPrince):
        def _step(self, solver_state: Any, *args: Any, **kwargs: Any) -> Any:
            # a hair beyond, because the solver goes on until it has passed the end
            left = beyond - solver_state.current_time
            size = tf.minimum(solver_state.step_size, left)
            return super()._step(solver_state._replace(step_size=size), *args, **kwargs)

    return LandingDormandPrince(
        rtol=sampler.rtol,
        atol=sampler.atol,
        first_step_size=0.01 * span,
        max_num_steps=sampler.max_steps,
    )
