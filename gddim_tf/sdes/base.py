"""The linear diffusion `du = F(t) u dt + G(t) dw`: its transition and the roots of its covariance.

Times `t` run from `t_min` (data) to `t_max` (noise). Matrices are float64 NumPy arrays of shape
`[*times, *modes, k, k]`: `k` components of the state per pixel (1 for an image, 2 for position and
velocity), and `modes` that broadcast over the image axes (empty, or one matrix per frequency).
"""

from __future__ import annotations

import abc
import copy
import functools
import inspect
import reprlib
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf.numerics.image_noise import normal_per_image
from gddim_tf.numerics.kernel_interpolation import interpolate, knots
from gddim_tf.numerics.linalg import apply_matrix
from gddim_tf.sdes.matrices import DiffusionMatrices
from gddim_tf.sdes.times import check_times


class LinearSDE(DiffusionMatrices):
    """Base class of every linear diffusion; a subclass gives `transition`, `covariance` and more.

    A subclass defines `transition(t, s)`, `covariance(t)`, `root(t)`, `drift(t)`, `diffusion(t)`
    and `get_config()`; nothing else is asked of it anywhere.

    Attributes:
      components: `k`, the number of state components per pixel.
      modes: shape of the axes between times and the `k x k` matrices.
      mode_index: None, or an integer array that spreads one axis of distinct modes over the image
        axes: `matrix[..., mode_index, :, :]` broadcasts against `[height, width, channels]`.
      t_min, t_max: the times at which sampling ends (data) and starts (noise).
      t_earliest: the earliest time at which the network may be asked: 0 for any, or on a discrete
        schedule that of its first label, from which one step leads to the data.
      signal_free: whether nothing of the data is left at t_max, where networks return the clean
        state instead of eps, which would be `R^{-1} u` whatever the data.

    Examples:
      >>> from gddim_tf.sdes import CLD
      >>> isinstance(CLD(), LinearSDE)
      True
    """

    mode_index: np.ndarray | None = None
    t_min: float = 1e-3
    t_earliest: float = 0.0
    signal_free: bool = False

    # ---- what training and sampling do with images, in TensorFlow ------------------------------

    def time_label(self, t: tf.Tensor) -> tf.Tensor:
        """The number the network is told at time `t`: `999 t`, as score_sde and gDDIM do."""
        return 999.0 * t

    def to_pixels(self, state: tf.Tensor) -> tf.Tensor:
        """The state `[batch, ..., k * C]` in the coordinates of the network (the identity here)."""
        return state

    def from_pixels(self, values: tf.Tensor) -> tf.Tensor:
        """The inverse of `to_pixels`: from the network's coordinates to those of the SDE."""
        return values

    def to_state(self, images: tf.Tensor, noise: tf.Tensor | None = None) -> tf.Tensor:
        """The state at t = 0 of clean images.

        Args:
          images: `[batch, height, width, C]` in [-1, 1], or `[batch, d]`.
          noise: None for the mean (further components are 0), or standard normal noise of the
            state's shape, which is spread by `cholesky(0)` over the components after the first.

        Returns:
          `[batch, ..., k * C]`: the image first, then the other components, in SDE coordinates.
        """
        rest = tf.zeros_like(images)
        state = self.from_pixels(tf.concat([images] + [rest] * (self.components - 1), axis=-1))
        if noise is None or self.components == 1:
            return state
        spread = self.cholesky(0.0).copy()
        spread[..., 0, :] = 0.0
        return state + self.apply(tf.constant(spread, state.dtype), noise)

    def to_images(self, state: tf.Tensor) -> tf.Tensor:
        """The image component `[batch, height, width, C]` of a state, in pixels."""
        return tf.split(self.to_pixels(state), self.components, axis=-1)[0]

    def apply(self, matrix: tf.Tensor, state: tf.Tensor, batched: bool = False) -> tf.Tensor:
        """`matrix @ state`: `[*modes, k, k]` (if batched, `[batch, *modes, k, k]`) on a state."""
        return apply_matrix(matrix, state, self.mode_index, batched)

    def kernel(self, t: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """`Psi(t, 0)` and `R(t)` inside a graph, for training.

        Args:
          t: `[batch]`, in [0, t_max].

        Returns:
          Two tensors `[batch, *modes, k, k]` of the dtype of `t`.
        """
        signal, root = interpolate(self._kernel_knots, t, self.t_max)
        return signal, root

    @functools.cached_property
    def _kernel_knots(self) -> tuple[np.ndarray, np.ndarray]:
        times = knots(self.t_max)
        return self.transition(times, np.zeros_like(times)), self.root(times)

    def perturb(self, images: tf.Tensor, t: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """A noisy state at time t: `u_t = Psi(t, 0) u_0 + R(t) noise`.

        Args:
          images: `[batch, height, width, C]` in [-1, 1].
          t: `[batch]`, in (0, t_max].
          noise: standard normal `[batch, height, width, k * C]`, the target of the eps network.

        Returns:
          `[batch, height, width, k * C]` in the coordinates of the SDE.
        """
        signal, root = self.kernel(t)
        clean = self.to_state(images)
        return self.apply(signal, clean, batched=True) + self.apply(root, noise, batched=True)

    def training_times(self, uniform: tf.Tensor) -> tf.Tensor:
        """Times of a training batch from numbers `[batch]` in [0, 1): uniform above 1e-5 t_max."""
        low = 1e-5 * self.t_max
        return low + uniform * (self.t_max - low)

    def prior_scale(self) -> np.ndarray:
        """A root of the covariance from which sampling starts, `[*modes, k, k]`."""
        return self.cholesky(self.t_max)

    def prior(self, shape: tuple[int, ...], seeds: tf.Tensor) -> tf.Tensor:
        """Starting states `u_T`, each image from its own seed.

        Args:
          shape: of one image, `(height, width, C)` (or `(d,)`).
          seeds: `[batch, 2]`, int32.

        Returns:
          `[batch, *shape[:-1], k * C]` float32; image i depends on `seeds[i]` alone.
        """
        noise = normal_per_image(seeds, (*shape[:-1], self.components * shape[-1]))
        return self.apply(tf.constant(self.prior_scale(), noise.dtype), noise)

    @property
    def t_first(self) -> float:
        """The earliest time at which a network is known: `t_min`, or where training begins."""
        with tf.init_scope():
            return max(self.t_min, float(self.training_times(tf.zeros([], tf.float64))))

    def until(self, t_min: float) -> LinearSDE:
        """The same diffusion with another time at which sampling ends."""
        other = copy.copy(self)
        other.t_min, other.t_max = check_times(t_min, self.t_max)
        return other

    # ---- serialisation ------------------------------------------------------------------------

    @abc.abstractmethod
    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain values; here the attributes of their names."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LinearSDE:
        """The SDE that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(
            f"{key}={reprlib.repr(value)}" for key, value in self.get_config().items()
        )
        return f"{type(self).__name__}({arguments})"
