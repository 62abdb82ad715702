"""The density of what a model draws, along its probability flow."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gddim_tf.numerics.linalg import sum_over_pixels
from gddim_tf.samplers.adaptive import RK45
from gddim_tf.samplers.loop import EpsFn
from gddim_tf.sdes import LinearSDE

# Where clean data are put if `t_min` is 0, as a share of t_max: one step of 1000.
_CLEAN_SHARE = 1e-3


class LogDensity(NamedTuple):
    """What a model says of given states.

    Attributes:
      log_density: natural logarithm, `[batch]`, float64.
      latent: the states at `sde.t_max`.
      nfe: network evaluations, for the whole batch at once.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> rough = RK45(rtol=0.1, atol=0.1)
      >>> log_density(VPSDE(), lambda u, t: u, tf.zeros([1, 2]), solver=rough).log_density.shape
      TensorShape([1])
    """

    log_density: tf.Tensor
    latent: tf.Tensor
    nfe: int


def log_density(
    sde: LinearSDE,
    eps_fn: EpsFn,
    states: tf.Tensor,
    *,
    start: float | None = None,
    probes: tf.Tensor | None = None,
    solver: RK45 | None = None,
    context: dict[str, tf.Tensor] | None = None,
) -> LogDensity:
    """`log p(u) = log N(u_T; 0, S S^T) + log |det d u_T / d u|` along the probability flow.

    S is `sde.prior_scale()`, and `u_T` is where `du/dt = F u + 1/2 G G^T R^{-T} eps` takes u. It is
    the density of the samples of an exact ODE solver at the time `start`: no noise is added to u,
    nor is it scaled by `Psi(start, 0)`, as in score_sde.
    Chen et al. (2018), theorem 1; Score-SDE (Song et al., 2021), eq. 39 and appendix D.2.

    Args:
      sde: any linear diffusion.
      eps_fn: `(u, t) -> eps`, states and times `[batch]` to the same shape, made of
        TensorFlow's operations.
      states: `[batch, ..., k * C]` in the coordinates of the SDE, float32 or float64.
      start: the time at which the states are; `first_time(sde)` if None.
      probes: None for the exact trace, or `[count, *states.shape]` with `E v v^T = I`.
      solver: `RK45()` if None; its tolerances are those of the state and of the log-density.
      context: further arguments of `eps_fn` by name, tensors `[batch, ...]`.

    Returns:
      The log-densities, the latents and the number of network evaluations.

    Raises:
      ValueError: if `start` is not before the end, or `eps_fn` has no gradient.
    """
    solution = (solver or RK45()).solve_with_volume(
        sde,
        eps_fn,
        states,
        start=first_time(sde) if start is None else start,
        end=sde.t_max,
        context=context,
        probes=probes,
    )
    prior = normal_log_density(sde, sde.prior_scale(), solution.state)
    return LogDensity(prior + tf.cast(solution.log_det, tf.float64), solution.state, solution.nfe)


def first_time(sde: LinearSDE) -> float:
    """The time at which clean images are put.

    `t_min`, or where that is 0 `t_max / 1000`, but no earlier than the network was trained.
    """
    return sde.t_min or max(sde.t_first, _CLEAN_SHARE * sde.t_max)


def normal_log_density(sde: LinearSDE, root: np.ndarray, values: tf.Tensor) -> tf.Tensor:
    """`log N(values; 0, root root^T)`, `[batch]`, float64; `root` is `[*modes, r, r]`."""
    values = tf.cast(values, tf.float64)
    white = sde.apply(tf.constant(np.linalg.inv(root), tf.float64), values)
    pixels = (*values.shape[1:-1], values.shape[-1] // root.shape[-1])
    log_det = sum_over_pixels(np.linalg.slogdet(root)[1], pixels, sde.mode_index)
    axes = tuple(range(1, values.shape.rank))
    size = math.prod(values.shape[1:])
    return -0.5 * tf.reduce_sum(white**2, axes) - 0.5 * size * np.log(2 * np.pi) - log_det


def velocity_log_density(sde: LinearSDE, states: tf.Tensor) -> tf.Tensor | float:
    """`log q` of the components after the image, `N(0, Sigma(0))` without its first row; else 0."""
    if sde.components == 1:
        return 0.0
    root = np.linalg.cholesky(sde.covariance(0.0)[..., 1:, 1:])
    return normal_log_density(sde, root, states[..., states.shape[-1] // sde.components :])
