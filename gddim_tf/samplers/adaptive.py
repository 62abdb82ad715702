"""Adaptive Runge-Kutta on the probability flow, with TensorFlow Probability's Dormand-Prince."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gddim_tf.checks import positive, whole
from gddim_tf.numerics.linalg import sum_over_pixels
from gddim_tf.samplers.errors import NotFiniteError, StepLimitError
from gddim_tf.samplers.loop import EpsFn
from gddim_tf.samplers.probability_flow import NOT_FINITE, compiled_flow
from gddim_tf.samplers.weights import VARIABLES, check_variable
from gddim_tf.sdes import LinearSDE

# Where the solver starts at the latest where nothing is left of the data at t_max.
_LEAST_RHO = 100.0

# TFP's wording.
_TOO_MANY = "max_num_steps exceeded"


class Solution(NamedTuple):
    """The end of a trajectory.

    Attributes:
      state: like the state at the start.
      nfe: how many network evaluations it took, an int.
      log_det: of `solve_with_volume`, `log |det d state / d u|` per image, `[batch]`.
    """

    state: tf.Tensor
    nfe: int
    log_det: tf.Tensor | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class RK45:
    """Dormand-Prince 5(4) on `du/dt = F u + 1/2 G G^T R^{-T} eps`, its steps chosen by tolerance.

    The number of evaluations follows from the tolerances, not from a budget, and so this is not a
    table: use `solve`. Steps are chosen for the whole batch, so that an image depends, within the
    tolerances, on the others. The matrices of the diffusion are computed by NumPy where they are
    needed: the graph runs on this machine, but can neither be exported nor compiled by XLA. Next to
    a t_max without signal (`LinearSDE.signal_free`) it makes one step with constant predicted data.
    With tolerances up to 0.05 no step changes noise over signal by more than a factor of 4.5, so
    that none passes over all that happens: about 50 evaluations are the fewest.
    Score-SDE (Song et al., 2021), appendix D.2; `tfp.math.ode.DormandPrince`.

    Args:
      rtol: relative tolerance of a step, per element.
      atol: absolute tolerance of a step, per element.
      max_steps: most steps, accepted or not.
      variable: what is integrated in, a key of `VARIABLES`; a schedule from a table of betas needs
        one of the rho, in which it is smooth.

    Raises:
      ValueError: if a number is not positive or `variable` is unknown.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> standard_normal = lambda u, t: VPSDE().kernel(t)[1][:, :, 0] * u  # eps of such data
      >>> RK45(rtol=1e-2, atol=1e-2).solve(VPSDE(), standard_normal, tf.ones([1, 2])).state.shape
      TensorShape([1, 2])
    """

    rtol: float = 1e-5
    atol: float = 1e-5
    max_steps: int = 10_000
    variable: str = "log_rho"

    def __post_init__(self) -> None:
        positive(rtol=self.rtol, atol=self.atol)
        whole("max_steps", self.max_steps, 1)
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
          eps_fn: `(u, t) -> eps`, states and times `[batch]` to the same shape.
          u: `[batch, ..., k * C]`, float32 or float64.
          start: `sde.t_max` if None.
          end: `sde.t_min` if None; to 0 a step of order 0 makes the way from `sde.t_first`.
          context: further arguments of `eps_fn` by name, tensors `[batch, ...]`.

        Returns:
          The state and the number of network evaluations.

        Raises:
          ValueError: if a time is outside `[0, t_max]`.
          NotFiniteError: if the network returns something that is not finite.
          StepLimitError: if `max_steps` are not enough.
        """
        u = tf.convert_to_tensor(u)
        start, end = _check_ends(sde, start, end)
        target = end if end > 0 else min(sde.t_first, start)
        begin, stop = self._with_signal(sde, start, target), self._with_signal(sde, target, start)
        state, first = _order_zero(sde, eps_fn, u, (start, begin), context)
        (state,), nfe = self._integrate(sde, eps_fn, state, (begin, stop), context)
        state, last = _order_zero(sde, eps_fn, state, (stop, end), context)
        return Solution(state, first + nfe + last)

    def solve_with_volume(
        self,
        sde: LinearSDE,
        eps_fn: EpsFn,
        u: tf.Tensor,
        *,
        start: float,
        end: float,
        context: dict[str, tf.Tensor] | None = None,
        probes: tf.Tensor | None = None,
    ) -> Solution:
        """`solve`, together with what the flow does to volumes.

        `log |det d u(end) / d u(start)| = int tr(A + B J) dz`, with A and B of `flow_matrices` and
        the Jacobian J of eps. The integral is one more variable of the same solver and counts in
        its choice of steps; an evaluation of the network is followed by reverse passes, which are
        not counted. Score-SDE (Song et al., 2021), appendix D.2.

        Args:
          sde: any linear diffusion.
          eps_fn: `(u, t) -> eps`, states and times `[batch]` to the same shape, made of
            TensorFlow's operations.
          u: states `[batch, ..., k * C]` at `start`.
          start: in (0, t_max].
          end: likewise.
          context: further arguments of `eps_fn` by name, tensors `[batch, ...]`.
          probes: None for the exact trace, or `[count, *u.shape]` with `E v v^T = I`.

        Returns:
          The state, the number of network evaluations and the log-determinant.

        Raises:
          ValueError: if a time is out of range, `end` is 0, or `eps_fn` has no gradient.
          NotFiniteError: if the network returns something that is not finite.
          StepLimitError: if it takes more steps than it may.
        """
        u = tf.convert_to_tensor(u)
        start, end = _check_ends(sde, start, end)
        if end == 0:
            raise ValueError("`end` must be above 0 for a log-determinant, received 0")
        begin, stop = self._with_signal(sde, start, end), self._with_signal(sde, end, start)
        state, first = _order_zero(sde, eps_fn, u, (start, begin), context)
        (state, log_det), nfe = self._integrate(
            sde, eps_fn, state, (begin, stop), context, volume=True, probes=probes
        )
        state, last = _order_zero(sde, eps_fn, state, (stop, end), context)
        scaled = _log_scale(sde, start, begin, u.shape) + _log_scale(sde, stop, end, u.shape)
        return Solution(state, first + nfe + last, log_det + tf.cast(scaled, u.dtype))

    def _with_signal(self, sde: LinearSDE, time: float, other: float) -> float:
        """Where the solver starts or stops for a time: itself, but below a t_max without signal.

        Up to where rho is one over the root of the tolerance, the predicted data change the state
        by less than the tolerance, and a step of order 0 does.
        """
        if not sde.signal_free or time < sde.t_max:
            return time
        rho = max(min(self.rtol, self.atol) ** -0.5, _LEAST_RHO)
        return max(float(sde.time_of_rho(rho)), min(other, time))

    def _integrate(
        self,
        sde: LinearSDE,
        eps_fn: EpsFn,
        u: tf.Tensor,
        times: tuple[float, float],
        context: dict[str, tf.Tensor] | None,
        volume: bool = False,
        probes: tf.Tensor | None = None,
    ) -> tuple[tuple[tf.Tensor, ...], int]:
        """The variables at the second time (u, and the log-determinant), and the NFE."""
        if times[0] == times[1]:
            return (u, tf.zeros(u.shape[:1], u.dtype)) if volume else (u,), 0
        ends = tf.constant(VARIABLES[self.variable](sde, np.array(times)))
        solver = compiled_flow(
            sde, eps_fn, max_steps=self.max_steps, variable=self.variable, volume=volume
        )
        tolerances = tf.constant([self.rtol, self.atol], tf.float64)
        try:
            variables, nfe = solver(u, ends, tolerances, dict(context or {}), probes)
        except tf.errors.InvalidArgumentError as error:
            if _TOO_MANY in error.message:
                raise StepLimitError(
                    f"`max_steps` must be larger for these tolerances, received {self.max_steps}"
                ) from error
            if NOT_FINITE in error.message:
                raise NotFiniteError(f"{NOT_FINITE}, received NaN or Inf") from error
            raise
        return variables, int(nfe)


def _order_zero(
    sde: LinearSDE,
    eps_fn: EpsFn,
    u: tf.Tensor,
    times: tuple[float, float],
    context: dict[str, tf.Tensor] | None,
) -> tuple[tf.Tensor, int]:
    """One step with a constant output: eps, or the predicted data where there is no signal."""
    start, end = times
    if start == end:
        return u, 0
    output = tf.cast(
        eps_fn(u, tf.fill([u.shape[0]], tf.cast(start, u.dtype)), **(context or {})), u.dtype
    )
    if not tf.reduce_all(tf.math.is_finite(output)):
        raise NotFiniteError(f"{NOT_FINITE}, received NaN or Inf")
    if sde.signal_free and start == sde.t_max:
        carry, weight = sde.root(end) @ np.linalg.inv(sde.root(start)), sde.transition(end, 0.0)
    else:
        carry = sde.transition(end, start)
        weight = sde.root(end) - carry @ sde.root(start)
    moved = sde.apply(tf.constant(carry, u.dtype), u)
    return moved + sde.apply(tf.constant(weight, u.dtype), output), 1


def _log_scale(sde: LinearSDE, start: float, end: float, shape: tf.TensorShape) -> float:
    """`log |det R_end R_start^{-1}|`: what a step next to no signal does to volumes."""
    if start == end:
        return 0.0
    sizes = np.linalg.slogdet(sde.root(np.array([start, end])))[1]
    pixels = (*shape[1:-1], shape[-1] // sde.components)
    return sum_over_pixels(sizes[1] - sizes[0], pixels, sde.mode_index)


def _check_ends(sde: LinearSDE, start: float | None, end: float | None) -> tuple[float, float]:
    start = sde.t_max if start is None else float(start)
    end = sde.t_min if end is None else float(end)
    for name, time in (("start", start), ("end", end)):
        if not 0 <= time <= sde.t_max:
            raise ValueError(f"`{name}` must be in [0, {sde.t_max}], received {time}")
    if start == 0:
        raise ValueError("`start` must be above 0, received 0")
    return start, end
