"""The probability flow of a diffusion, and the graph that solves it with an adaptive method."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf.numerics.divergence import divergence
from gddim_tf.numerics.ode import exact_dormand_prince
from gddim_tf.numerics.quadrature import interpolation_matrix, legendre
from gddim_tf.samplers.loop import EpsFn
from gddim_tf.samplers.weights import INVERSES, VARIABLES
from gddim_tf.sdes import LinearSDE

# How the graph says that the network failed.
NOT_FINITE = "`eps_fn` must return finite values"

# Compiled solvers of the most recent networks.
_COMPILED_SOLVERS = 8

# The longest step, in the logarithm of noise over signal. Where that is the deviation of the data a
# state changes, within an interval of about three, and hardly at all on either side: there steps
# would grow until the interval lies between two neighbouring stages of one, whose estimate of its
# error sees none of it. Tolerances above the second number, which all that happens does not exceed
# by much, have longer steps in proportion.
_LONGEST_STEP, _LOOSE = 1.5, 0.05

# The noise over signal between which data of any deviation change a state.
_NOISES = 1e-6, 1e3

# The interval in which the flow is differentiated, relative to t and to rho, and its nodes.
_WINDOW, _WINDOW_NODES = 0.05, 10


@functools.lru_cache(maxsize=_COMPILED_SOLVERS)
def compiled_flow(
    sde: LinearSDE,
    eps_fn: EpsFn,
    *,
    max_steps: int,
    variable: str,
    volume: bool,
) -> Any:
    """The graph that solves `du/dz = A u + B eps` between two values of a variable z.

    Args:
      sde: the diffusion.
      eps_fn: `(u, t) -> eps`, states and times `[batch]` to the same shape; for `volume`
        made of TensorFlow's operations.
      max_steps: most steps, accepted or not.
      variable: z, a key of `VARIABLES`.
      volume: whether `int tr(A + B J) dz` is integrated too, J the Jacobian of eps.

    Returns:
      A `tf.function` of u, the two values of z `[2]` (float64), the relative and the absolute
      tolerance of a step per element `[2]` (float64), the context and the probes of `divergence`
      (or None). It gives a tuple, u at the end and with `volume` the integral
      `[batch]`, and the number of network evaluations.
    """

    @functools.partial(tf.function, autograph=False)
    def solve(
        u: tf.Tensor,
        ends: tf.Tensor,
        tolerances: tf.Tensor,
        context: dict[str, tf.Tensor],
        probes: tf.Tensor | None,
    ) -> Any:
        bound = functools.partial(eps_fn, **context)
        flow = _slopes(sde, bound, variable, ends, probes, volume)
        variables = (u, tf.zeros(tf.shape(u)[:1], u.dtype)) if volume else (u,)
        span = tf.cast(tf.abs(ends[1] - ends[0]), u.dtype)

        sign = tf.sign(ends[1] - ends[0])
        most = sign * _LONGEST_STEP * tf.maximum(tf.reduce_max(tolerances) / _LOOSE, 1.0)

        def longest(distance: tf.Tensor) -> tf.Tensor:
            z = ends[0] + sign * tf.cast(distance, tf.float64)
            step = functools.partial(longest_step, sde, variable)
            value = tf.ensure_shape(tf.numpy_function(step, [most, z], tf.float64), [])
            return tf.maximum(tf.cast(value, u.dtype), 1e-3 * span)  # which never stands still

        solver = _landing_solver(tf.cast(tolerances, u.dtype), max_steps, span, longest)
        results = solver.solve(flow, tf.zeros([], u.dtype), variables, solution_times=span[None])
        # TFP does not count the evaluation with which it starts
        ended = tuple(values[0] for values in results.states)
        return ended, results.diagnostics.num_ode_fn_evaluations + 1

    return solve


def _slopes(
    sde: LinearSDE,
    eps_fn: EpsFn,
    variable: str,
    ends: tf.Tensor,
    probes: tf.Tensor | None,
    volume: bool,
) -> Any:
    """The slopes of the state (and of the integral) in the distance of z from where it starts."""
    matrices = functools.partial(flow_matrices, sde, variable)
    shape = (*sde.modes, sde.components, sde.components)
    sign = tf.sign(ends[1] - ends[0])

    # a function of its own, because the method calls it seven times: traced once, and kept out of
    # line so that the graph is optimised with one network in it and not with seven
    @functools.partial(tf.function, autograph=False, experimental_attributes={"_noinline": True})
    def flow(distance: tf.Tensor, variables: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        state = variables[0]
        z = ends[0] + sign * tf.cast(distance, tf.float64)
        t, drift, pull = tf.numpy_function(matrices, [z], [tf.float64] * 3)
        drift, pull = (tf.ensure_shape(sign * m, shape) for m in (drift, pull))
        drift, pull = tf.cast(drift, state.dtype), tf.cast(pull, state.dtype)
        time = tf.fill([tf.shape(state)[0]], tf.cast(t, state.dtype))

        def pulled(state: tf.Tensor) -> tf.Tensor:
            return sde.apply(pull, tf.cast(eps_fn(state, time), state.dtype))

        if volume:
            slope, rate = divergence(pulled, state, probes)
            rates = (rate + _trace(sde, drift, state),)
        else:
            slope, rates = pulled(state), ()
        slope = tf.debugging.assert_all_finite(slope, NOT_FINITE)
        return (sde.apply(drift, state) + slope, *rates)

    return flow


def flow_matrices(
    sde: LinearSDE, variable: str, z: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
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


def _trace(sde: LinearSDE, matrix: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
    """`tr` of a matrix `[*modes, k, k]` as a map of one whole state."""
    per_mode = tf.linalg.trace(matrix)
    if sde.mode_index is not None:
        per_mode = tf.gather(per_mode, sde.mode_index)
    pixels = (*state.shape[1:-1], state.shape[-1] // sde.components)
    return tf.reduce_sum(tf.broadcast_to(per_mode, pixels))


def longest_step(sde: LinearSDE, variable: str, most: np.ndarray, z: np.ndarray) -> np.float64:
    """How far a step of the flow from z may go, where the diffusion lets it.

    Args:
      sde: the diffusion.
      variable: a key of `VARIABLES`.
      most: by how much the logarithm of noise over signal may change, at every frequency; negative
        towards the data, `[]`.
      z: `[]`.

    Returns:
      A distance in z.
    """
    start, width = float(INVERSES[variable](sde, z)), float(most)
    here = _log_noise(sde, start)
    while True:
        stop = min(float(sde.time_of_rho(sde.rho(start) * np.exp(width))), sde.t_max)
        change = np.abs(_log_noise(sde, stop) - here).max()
        if change < 1.05 * abs(float(most)):
            return np.float64(abs(VARIABLES[variable](sde, np.array(stop)) - z))
        width *= abs(float(most)) / change


def _log_noise(sde: LinearSDE, t: float) -> np.ndarray:
    """The logarithm of noise over signal within `_NOISES`, `[*modes]`."""
    noise, signal = (np.linalg.norm(m, axis=(-2, -1)) for m in (sde.root(t), sde.transition(t, 0)))
    return np.log(np.clip(noise / np.maximum(signal, 1e-300), *_NOISES))


def _landing_solver(
    tolerances: tf.Tensor,
    max_steps: int,
    span: tf.Tensor,
    longest: Callable[[tf.Tensor], tf.Tensor],
) -> Any:
    """Dormand-Prince with a longest step at each distance, and a last one that ends at `span`.

    TFP's has no longest step, and would pass the end and interpolate.
    """
    dormand_prince = exact_dormand_prince()
    beyond = span * (1 + 8 * np.finfo(span.dtype.as_numpy_dtype).eps)

    class LandingDormandPrince(dormand_prince.DormandPrince):
        def _step(self, solver_state: Any, *args: Any, **kwargs: Any) -> Any:
            # a hair beyond, because the solver goes on until it has passed the end
            left = beyond - solver_state.current_time
            size = tf.minimum(solver_state.step_size, longest(solver_state.current_time))
            size = tf.minimum(size, left)
            return super()._step(solver_state._replace(step_size=size), *args, **kwargs)

    return LandingDormandPrince(
        rtol=tolerances[0],
        atol=tolerances[1],
        first_step_size=0.01 * span,
        max_num_steps=max_steps,
    )
