"""What a linear measurement of an image is, `y = A x`."""

from __future__ import annotations

import abc

import tensorflow as tf


class LinearOperator(abc.ABC):
    """`y = A x`, images `[batch, height, width, C]` to anything with the batch as its first axis.

    Own ones are made by `Linear` from functions, or are subclasses.

    Examples:
      >>> from gddim_tf.models.operators import Downsample
      >>> Downsample(4).apply(tf.ones([1, 8, 8, 3])).shape
      TensorShape([1, 2, 2, 3])
    """

    @abc.abstractmethod
    def apply(self, images: tf.Tensor) -> tf.Tensor:
        """`A x`."""

    @abc.abstractmethod
    def inverse(self, values: tf.Tensor, ridge: tf.Tensor) -> tf.Tensor:
        """`A^T (A A^T + ridge)^{-1} y`: the pseudo-inverse, or less of it where there is noise.

        Args:
          values: like a measurement.
          ridge: `[batch]`, at least 0, the variance of the noise over that of a pixel.

        Returns:
          Images.
        """


def column(ridge: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """`[batch]` as `[batch, 1, ...]`, to go with the values."""
    shape = [-1] + [1] * (len(values.shape) - 1)
    return tf.reshape(tf.cast(ridge, values.dtype), shape)
