"""What the network predicts: eps itself, the clean image, or the part of it that is not obvious.

Given the state, the noise is an affine function of the clean image: `z = R^{-1} u - b x0` with
`b = R^{-1} Psi_x`, where `Psi_x` is the column of `Psi(t, 0)` that acts on the image. So for any
number of components a network of C output channels is enough, and eps is
`R^{-1} u - b E[x0 | u]`.
"""

from __future__ import annotations

import tensorflow as tf

from gddim_tf.sdes import LinearSDE

PREDICTIONS = ("eps", "x0", "v")


class Prediction:
    """From the network's output to eps at given states and times.

    - "eps": the output is eps, `k * C` channels (DDPM; gDDIM with `K = R`).
    - "x0": the output is the clean image, C channels.
    - "v": the output is what remains of the clean image after the best guess for data of unit
      variance, in units of that guess's error: `x0 = b.w / (1 + |b|^2) + out / sqrt(1 + |b|^2)`
      with `w = R^{-1} u`, so that `eps = w - b b.w / (1 + |b|^2) - b out / sqrt(1 + |b|^2)`. On a
      variance preserving diffusion this is the v of Salimans and Ho (2022) with its sign turned.
      The input is scaled to unit variance per component, as in EDM (Karras et al., 2022).

    Args:
      kind: one of the above.
      sde: the diffusion.
      u: states `[batch, ..., k * C]` in the coordinates of the SDE.
      t: times `[batch]`.
    """

    def __init__(self, kind: str, sde: LinearSDE, u: tf.Tensor, t: tf.Tensor) -> None:
        self._kind, self._sde, self._u = kind, sde, u
        if kind == "eps":
            return
        signal, root = sde.kernel(tf.cast(t, u.dtype))
        column = signal[..., :, :1]
        inverse = 1.0 / root if sde.components == 1 else tf.linalg.inv(root)
        self._b = inverse @ column
        self._w = self._apply(inverse, u)
        self._spread = 1.0 + tf.reduce_sum(self._b**2, axis=-2, keepdims=True)
        self._variance = tf.reduce_sum(root**2, axis=-1) + column[..., 0] ** 2

    def inputs(self) -> tf.Tensor:
        """What the network is given, before `to_pixels`."""
        if self._kind != "v":
            return self._u
        return self._apply(tf.linalg.diag(tf.math.rsqrt(self._variance)), self._u)

    def eps(self, output: tf.Tensor) -> tf.Tensor:
        """The eps `[batch, ..., k * C]` of an output of the network, in SDE coordinates."""
        if self._kind == "eps":
            return output
        if self._kind == "x0":
            return self._w - self._apply(self._b, output)
        guess = self._apply(tf.linalg.matrix_transpose(self._b) / self._spread, self._w)
        rest = self._apply(tf.math.rsqrt(self._spread), output)
        return self._w - self._apply(self._b, guess + rest)

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """What the output should be, from the clean image and the noise, in SDE coordinates."""
        if self._kind == "eps":
            return noise
        if self._kind == "x0":
            return clean
        guess = self._apply(tf.linalg.matrix_transpose(self._b) / self._spread, self._w)
        return self._apply(tf.sqrt(self._spread), clean - guess)

    def _apply(self, matrix: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        return self._sde.apply(matrix, values, batched=True)


def output_components(kind: str, sde: LinearSDE) -> int:
    """How many times C channels the network must return.

    Raises:
      ValueError: if there is no such prediction.
    """
    if kind not in PREDICTIONS:
        raise ValueError(f"`prediction` must be one of {PREDICTIONS}, received {kind!r}")
    return sde.components if kind == "eps" else 1
