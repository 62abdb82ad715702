"""Embeddings of the time label."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.networks.layer_shape import Shape


def positional_embedding(
    labels: tf.Tensor, width: int, shift: float = 1.0, cosine_first: bool = False
) -> tf.Tensor:
    """Return sines and cosines of the labels at geometrically spaced frequencies.

    [sin(f_i label), cos(f_i label)] with f_i = 10000^(-i / (n - shift)) for i = 0 ... n - 1 and
    n = width // 2 (Ho et al. 2020); an odd width ends with a zero.

    Args:
      labels: float32 [batch].
      width: channels of the result, at least 4.
      shift: see above; below n.
      cosine_first: whether the cosines come before the sines.

    Returns:
      float32 [batch, width].

    Raises:
      ValueError: if the width is too small.
    """
    if width < 4:
        raise ValueError(f"`width` must be at least 4, received {width}")
    half = width // 2
    step = np.float32(-math.log(10000.0) / (half - shift))
    frequencies = np.exp(np.arange(half, dtype=np.float32) * step)
    angles = labels[:, None] * frequencies[None, :]
    waves = [tf.sin(angles), tf.cos(angles)]
    embedding = tf.concat(waves[::-1] if cosine_first else waves, axis=1)
    return tf.pad(embedding, [[0, 0], [0, width % 2]])


@keras.saving.register_keras_serializable(package="gddim_tf")
class FourierEmbedding(keras.layers.Layer):
    """Random Fourier features of the (logarithm of the) time label.

    [sin(2 pi W l), cos(2 pi W l)] with l = log(label) and fixed W ~ N(0, scale^2)
    (Song et al. 2021, section C.1). Angles reach thousands of radians, so the product is always
    taken in float32 and in the order ((l W) 2) pi of the published networks.

    Args:
      features: number of frequencies; the output is twice as wide.
      scale: standard deviation of the frequencies.
      log: whether the logarithm is taken; the labels must then be positive.

    Input: float32 [batch]. Output: float32 [batch, 2 features].

    Examples:
      >>> FourierEmbedding(16)(tf.constant([0.1, 50.0])).shape
      TensorShape([2, 32])
    """

    def __init__(self, features: int, scale: float = 16.0, log: bool = True, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.features = features
        self.scale = scale
        self.log = log

    def build(self, input_shape: Shape) -> None:
        """Draw the frequencies, which are never trained."""
        self.frequencies = self.add_weight(
            shape=(self.features,),
            initializer=keras.initializers.RandomNormal(stddev=self.scale),
            trainable=False,
            autocast=False,
            name="frequencies",
        )

    def call(self, labels: tf.Tensor) -> tf.Tensor:
        """Embed the labels."""
        positions = tf.math.log(labels) if self.log else labels
        angles = positions[:, None] * self.frequencies[None, :] * 2.0 * np.float32(np.pi)
        return tf.concat([tf.sin(angles), tf.cos(angles)], axis=1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return [batch, 2 features]."""
        return (input_shape[0], 2 * self.features)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = {"features": self.features, "scale": self.scale, "log": self.log}
        return {**super().get_config(), **config}
