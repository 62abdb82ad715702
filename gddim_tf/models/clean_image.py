"""The clean image that an eps implies, and the eps that another clean image implies.

Given the state, the noise is an affine function of the clean image, `z = R^{-1} u - b x0` with
`b = R^{-1} Psi_x`. So whoever knows something about `E[x0 | u]` (pixels, a measurement) changes it
and gets an eps back, on every linear diffusion and for every sampler.
"""

from __future__ import annotations

import functools

import tensorflow as tf

from gddim_tf.models.noisy_states import NoisyStates
from gddim_tf.sdes import LinearSDE


class CleanImage:
    """`x0 = b^T (R^{-1} u - eps) / |b|^2`, the clean image that explains an eps best.

    With one component this is `(u - R eps) / Psi`. Where nothing of the data is left
    (`LinearSDE.signal_free`), networks return the clean image in the place of eps, and so it is
    taken and given there.

    Args:
      sde: the diffusion.
      u: states `[batch, ..., k * C]` in the coordinates of the SDE.
      t: times `[batch]`.
      eps: of the network, like `u`.
    """

    def __init__(self, sde: LinearSDE, u: tf.Tensor, t: tf.Tensor, eps: tf.Tensor) -> None:
        self._states, self._eps = NoisyStates(sde, u, t), eps

    @property
    def image(self) -> tf.Tensor:
        """`E[x0 | u]` in pixels, `[batch, height, width, C]`."""
        states = self._states
        weight = tf.math.divide_no_nan(tf.linalg.matrix_transpose(states.b), self._snr)
        image = states.apply(weight, states.w - self._eps)
        if states.sde.signal_free:
            image = tf.where(states.at_the_end, self._eps, image)
        return states.sde.to_pixels(image)

    def moved(self, by: tf.Tensor) -> tf.Tensor:
        """The eps if the clean image were another one: `eps - b by`.

        Args:
          by: how far it moves, in pixels, `[batch, height, width, C]`.
        """
        states = self._states
        by = states.sde.from_pixels(by)
        moved = self._eps - states.apply(states.b, by)
        if not states.sde.signal_free:
            return moved
        return tf.where(states.at_the_end, self._eps + by, moved)

    def scored(self, gradient: tf.Tensor, by: tf.Tensor | None = None) -> tf.Tensor:
        """The eps with a further score: `eps - R^T gradient`.

        Args:
          gradient: in u, of the logarithm of a probability.
          by: how far the clean image moves, in pixels, where no signal is left and therefore no
            gradient; None for nothing.
        """
        states = self._states
        scored = self._eps - states.apply(tf.linalg.matrix_transpose(states.root), gradient)
        if not states.sde.signal_free:
            return scored
        other = self._eps if by is None else self._eps + states.sde.from_pixels(by)
        return tf.where(states.at_the_end, other, scored)

    def variance(self, data_std: float) -> tf.Tensor:
        """The variance of a pixel given the state, for independent normal data, `[batch]`.

        `1 / (1 / s^2 + |b|^2)`, PiGDM's `r_t^2`; its mean where it depends on the frequency.

        Args:
          data_std: s.
        """
        variance = 1.0 / (data_std**-2 + self._snr[..., 0, 0])
        if self._states.sde.mode_index is not None:
            variance = tf.gather(variance, self._states.sde.mode_index, axis=-1)
        return tf.reduce_mean(variance, axis=tuple(range(1, variance.shape.rank)))

    @functools.cached_property
    def _snr(self) -> tf.Tensor:
        """`|b|^2`, `[batch, *modes, 1, 1]`."""
        return tf.reduce_sum(self._states.b**2, axis=-2, keepdims=True)
