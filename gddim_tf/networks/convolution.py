"""Convolutions and dense layers with the initialisation of the DDPM family."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

# Above so many pixels and weights an order of the weights is worth its time.
_PIXELS, _WEIGHTS = 200, 2**17

_is_ordering = contextvars.ContextVar("is_ordering", default=False)


@contextlib.contextmanager
def ordered_weights() -> Iterator[None]:
    """A scope in which large float32 convolutions have their weights ordered for the processor.

    For a single image TensorFlow has oneDNN read the weights of a 2D convolution in float32 in the
    order in which they are kept, for which its kernels take up to twice as long; it orders those of
    several images, and of a 3D convolution. So in this scope images are volumes of depth 1, of
    which the sums are the same. Other devices than CPUs may take longer for volumes.
    """
    token = _is_ordering.set(True)
    try:
        yield
    finally:
        _is_ordering.reset(token)


class Convolution(keras.layers.Conv2D):
    """A 2D convolution that knows `ordered_weights`."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convolve and add the bias."""
        pixels, weights = inputs.shape[1:3].num_elements(), self.kernel.shape.num_elements()
        is_large = pixels is not None and pixels > _PIXELS and weights > _WEIGHTS
        if not (_is_ordering.get() and is_large and inputs.dtype == tf.float32):
            return super().call(inputs)
        return tf.squeeze(super().call(tf.expand_dims(inputs, 1)), 1)

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """Convolve images, or the volumes that `call` makes of them."""
        if inputs.shape.rank == 4:
            return super().convolution_op(inputs, kernel)
        strides = (1, 1, *self.strides, 1)
        return tf.nn.conv3d(inputs, tf.expand_dims(kernel, 0), strides, self.padding.upper())


def initializer(scale: float = 1.0) -> keras.initializers.VarianceScaling:
    """Return uniform variance scaling by the mean of fan-in and fan-out.

    Weights are drawn from U(-a, a) with a = sqrt(6 scale / (fan_in + fan_out)); a scale of 0
    becomes 1e-10, so that a residual branch starts as almost nothing.
    """
    return keras.initializers.VarianceScaling(scale or 1e-10, "fan_avg", "uniform")


def conv(filters: int, size: int, *, scale: float = 1.0, **options: Any) -> Convolution:
    """Return an unbuilt convolution, zero padded to the size of its input unless told otherwise."""
    options = {"padding": "same", "kernel_initializer": initializer(scale), **options}
    return Convolution(filters, size, **options)


def dense(units: int, *, scale: float = 1.0, **options: Any) -> keras.layers.Dense:
    """Return an unbuilt dense layer over the last axis."""
    return keras.layers.Dense(units, kernel_initializer=initializer(scale), **options)
