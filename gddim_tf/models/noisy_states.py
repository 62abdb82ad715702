"""Noisy states, and the matrices at their times of which predictions are made.

Given the state, the noise is an affine function of the clean image: `z = R^{-1} u - b x0` with
`b = R^{-1} Psi_x`, where `Psi_x` is the column of `Psi(t, 0)` that acts on the image. So for any
number of components a network of C output channels is enough, and eps is
`R^{-1} u - b E[x0 | u]`.
"""

from __future__ import annotations

import functools

import tensorflow as tf

from gddim_tf.numerics.small_matrices import inverse, orthonormal_rows
from gddim_tf.sdes import LinearSDE


class NoisyStates:
    """States of a batch at their times; each matrix is computed when it is needed, once.

    Args:
      sde: the diffusion.
      u: states `[batch, ..., k * C]` in the coordinates of the SDE.
      t: times `[batch]`.

    Examples:
      >>> from gddim_tf.sdes import VESDE
      >>> states = NoisyStates(VESDE(), tf.ones((1, 4, 4, 3)), tf.constant([1.0]))
      >>> round(float(states.b[0, 0, 0]), 4)  # 1 / sigma
      0.02
    """

    def __init__(self, sde: LinearSDE, u: tf.Tensor, t: tf.Tensor) -> None:
        self.sde, self.u, self.t = sde, u, tf.cast(t, u.dtype)

    def apply(self, matrix: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        """`matrix @ values`: `[batch, *modes, rows, columns]` on values packed like states."""
        return self.sde.apply(matrix, values, batched=True)

    @functools.cached_property
    def _kernel(self) -> tuple[tf.Tensor, tf.Tensor]:
        return self.sde.kernel(self.t)

    @property
    def column(self) -> tf.Tensor:
        """`Psi_x`, `[batch, *modes, k, 1]`."""
        return self._kernel[0][..., :, :1]

    @property
    def root(self) -> tf.Tensor:
        """`R`, `[batch, *modes, k, k]`."""
        return self._kernel[1]

    @functools.cached_property
    def inverse(self) -> tf.Tensor:
        """`R^{-1}`."""
        return inverse(self.root)

    @functools.cached_property
    def covariance(self) -> tf.Tensor:
        """`Sigma = R R^T`."""
        return self.root @ tf.linalg.matrix_transpose(self.root)

    @functools.cached_property
    def rotation(self) -> tf.Tensor:
        """`R^{-1} L`, exact where `Sigma` is nearly singular."""
        return tf.linalg.matrix_transpose(orthonormal_rows(self.root))

    @functools.cached_property
    def b(self) -> tf.Tensor:
        """`R^{-1} Psi_x`, `[batch, *modes, k, 1]`."""
        return self.inverse @ self.column

    @functools.cached_property
    def w(self) -> tf.Tensor:
        """`R^{-1} u`, like a state."""
        return self.apply(self.inverse, self.u)

    def after(self, components: int) -> tf.Tensor:
        """The components of u after so many."""
        channels = self.u.shape[-1] // self.sde.components
        return self.u[..., components * channels :]

    @property
    def at_the_end(self) -> tf.Tensor:
        """Whether each state is at t_max, `[batch, 1, ..., 1]`."""
        shape = [-1] + [1] * (self.u.shape.rank - 1)
        return tf.reshape(self.t >= tf.cast(self.sde.t_max, self.t.dtype), shape)
