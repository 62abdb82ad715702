"""Changing the resolution by 2: mean and nearest neighbour, FIR filters, with or without a conv."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.networks.convolution import conv
from gddim_tf.networks.layer_shape import Shape


def downsample(x: tf.Tensor, kernel: Sequence[float] | None = None) -> tf.Tensor:
    """Halve the resolution.

    With a kernel of n taps, x is zero padded by ((n - 1) // 2, (n - 2) // 2), convolved with
    outer(kernel, kernel) / sum, and every second value is kept.

    Args:
      x: [batch, height, width, channels].
      kernel: taps of the filter; None takes the mean of 2x2 pixels.

    Returns:
      [batch, height / 2, width / 2, channels].
    """
    if kernel is None:
        return tf.nn.avg_pool2d(x, 2, 2, "VALID")
    taps = len(kernel)
    return fir_filter(x, kernel, padding=((taps - 1) // 2, (taps - 2) // 2), stride=2)


def upsample(x: tf.Tensor, kernel: Sequence[float] | None = None) -> tf.Tensor:
    """Double the resolution.

    With a kernel, a zero is inserted after each value and the result is convolved with
    4 outer(kernel, kernel) / sum: a transposed depthwise convolution.

    Args:
      x: [batch, height, width, channels].
      kernel: taps of the filter; None repeats each pixel.

    Returns:
      [batch, 2 height, 2 width, channels].
    """
    if kernel is None:
        return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
    values = tf.cast(x, tf.float32)
    batch, height, width, channels = tf.unstack(tf.shape(values))
    y = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
        input_sizes=[batch, 2 * height, 2 * width, channels],
        filter=_depthwise_filter(kernel, x.shape[-1], gain=4.0),
        out_backprop=values,
        strides=[1, 2, 2, 1],
        padding="SAME",
    )
    return tf.cast(y, x.dtype)


def fir_filter(
    x: tf.Tensor, kernel: Sequence[float], *, padding: tuple[int, int], stride: int = 1
) -> tf.Tensor:
    """Convolve each channel with outer(kernel, kernel) / sum.

    The filter runs in float32, where depthwise convolutions are fastest on a CPU as well.

    Args:
      x: [batch, height, width, channels].
      kernel: the taps of the separable filter.
      padding: number of zeros before and after, on both axes.
      stride: every `stride`-th value is kept, starting with the first.
    """
    y = tf.raw_ops.DepthwiseConv2dNative(
        input=tf.cast(x, tf.float32),
        filter=_depthwise_filter(kernel, x.shape[-1])[::-1, ::-1],
        strides=[1, stride, stride, 1],
        padding="EXPLICIT",
        explicit_paddings=[0, 0, *padding, *padding, 0, 0],
    )
    return tf.cast(y, x.dtype)


def _depthwise_filter(kernel: Sequence[float], channels: int, gain: float = 1.0) -> np.ndarray:
    outer = np.outer(kernel, kernel)
    outer = gain * outer / outer.sum()
    return np.repeat(outer[:, :, None, None], channels, axis=2).astype(np.float32)


class _Resampling(keras.layers.Layer):
    """What the two directions share: an optional convolution named `conv`."""

    def __init__(
        self,
        filters: int | None = None,
        kernel: Sequence[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel = None if kernel is None else tuple(kernel)
        self.conv = None if filters is None else self._make_conv(filters)

    def build(self, input_shape: Shape) -> None:
        """Create the weights of the convolution."""
        if self.conv is not None:
            # It sees a filtered and padded input, whose size is not that of the layer's.
            self.conv.build((None, None, None, input_shape[-1]))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "filters": self.filters, "kernel": self.kernel}

    def _output_shape(self, input_shape: Shape, factor: float) -> Shape:
        batch, *sizes, channels = input_shape
        sizes = [None if size is None else int(factor * size) for size in sizes]
        return (batch, *sizes, self.filters or channels)


@keras.saving.register_keras_serializable(package="gddim_tf")
class Downsample(_Resampling):
    """Halve the resolution.

    Args:
      filters: channels of a 3x3 convolution of stride 2 that belongs to the layer, or None. With a
        kernel it is applied to the filtered input, which was padded once for both.
      kernel: taps of the FIR filter, or None for the 2x2 mean.
      padding: without a kernel, whether the convolution sees a zero "after" the image (below and on
        the right) or "around" it.

    Input: [batch, height, width, channels].
    Output: [batch, height / 2, width / 2, filters or channels].

    Examples:
      >>> Downsample(kernel=(1, 3, 3, 1))(tf.zeros([1, 8, 8, 3])).shape
      TensorShape([1, 4, 4, 3])
    """

    def __init__(
        self,
        filters: int | None = None,
        kernel: Sequence[float] | None = None,
        padding: str = "after",
        **kwargs: Any,
    ) -> None:
        self.padding = padding
        super().__init__(filters, kernel, **kwargs)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Resample `x`."""
        if self.conv is None:
            return downsample(x, self.kernel)
        if self.kernel is not None:
            taps = len(self.kernel)
            x = fir_filter(x, self.kernel, padding=((taps + 1) // 2, taps // 2))
        elif self.padding == "around":
            x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        return self.conv(x)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "padding": self.padding}

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape at half the resolution."""
        return self._output_shape(input_shape, 0.5)

    def _make_conv(self, filters: int) -> keras.layers.Conv2D:
        padding = "same" if self.kernel is None and self.padding == "after" else "valid"
        options = {"padding": padding, "dtype": self.dtype_policy, "name": "conv"}
        return conv(filters, 3, strides=2, **options)


@keras.saving.register_keras_serializable(package="gddim_tf")
class Upsample(_Resampling):
    """Double the resolution.

    Args:
      filters: channels of a 3x3 convolution that follows, or None. With a kernel it sees one more
        pixel of the filtered signal on each side instead of zeros (which makes it equal to the
        transposed convolution followed by the filter of the published networks).
      kernel: taps of the FIR filter, or None for nearest neighbour.

    Input: [batch, height, width, channels].
    Output: [batch, 2 height, 2 width, filters or channels].

    Examples:
      >>> Upsample(filters=5)(tf.zeros([1, 4, 4, 3])).shape
      TensorShape([1, 8, 8, 5])
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Resample `x`."""
        if self.conv is None:
            return upsample(x, self.kernel)
        if self.kernel is None:
            return self.conv(upsample(x))
        wider = upsample(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), self.kernel)
        return self.conv(wider[:, 1:-1, 1:-1])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape at twice the resolution."""
        return self._output_shape(input_shape, 2)

    def _make_conv(self, filters: int) -> keras.layers.Conv2D:
        padding = "same" if self.kernel is None else "valid"
        return conv(filters, 3, padding=padding, dtype=self.dtype_policy, name="conv")
