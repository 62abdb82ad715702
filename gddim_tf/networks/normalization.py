"""Group normalization in two reductions and one scale-and-shift."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from gddim_tf.networks.layer_shape import Shape


@keras.saving.register_keras_serializable(package="gddim_tf")
class GroupNorm(keras.layers.Layer):
    """Group normalization (Wu and He 2018) with float32 statistics.

    Each image is normalized over its height, width and the channels of a group (consecutive
    channels), y = scale (x - mean) / sqrt(var + epsilon) + bias. Mean and variance are taken per
    channel and then averaged over the groups, which leaves one multiply-add over the image.

    Args:
      groups: number of groups, a divisor of the channels.
      epsilon: added to the variance; the DDPM family uses 1e-6.

    Input and output: [batch, height, width, channels].

    Raises:
      ValueError: when built with channels that cannot be divided into the groups.

    Examples:
      >>> GroupNorm(2)(tf.ones([1, 4, 4, 8])).numpy().max().round(3)
      np.float32(0.0)
    """

    def __init__(self, groups: int, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups = groups
        self.epsilon = epsilon

    def build(self, input_shape: Shape) -> None:
        """Create the scale and the bias of each channel."""
        channels = input_shape[-1]
        if channels % self.groups:
            raise ValueError(
                f"`groups` must divide the {channels} channels of the input, received {self.groups}"
            )
        self.scale = self.add_weight(
            shape=(channels,), initializer="ones", name="scale", autocast=False
        )
        self.bias = self.add_weight(
            shape=(channels,), initializer="zeros", name="bias", autocast=False
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Normalize `x`."""
        scale, bias = tf.convert_to_tensor(self.scale), tf.convert_to_tensor(self.bias)
        y = tf.custom_gradient(self._normalized)(tf.cast(x, tf.float32), scale, bias)
        return tf.cast(y, self.compute_dtype)

    def _normalized(
        self, values: tf.Tensor, scale: tf.Tensor, bias: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, ...]]]:
        """The result, and the function from a gradient of it to those of the arguments.

        TensorFlow would derive the same gradient in twice as many operations, each of which reads
        and writes whole images.
        """
        mean = self._group_average(tf.reduce_mean(values, axis=[1, 2], keepdims=True))
        squares = tf.math.squared_difference(values, mean)
        variance = self._group_average(tf.reduce_mean(squares, axis=[1, 2], keepdims=True))
        inverse = tf.math.rsqrt(variance + self.epsilon)
        gain = inverse * scale

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            total = tf.reduce_sum(upstream, axis=[1, 2], keepdims=True)
            along = tf.reduce_sum(upstream * values, axis=[1, 2], keepdims=True) - mean * total
            pixels = tf.cast(tf.reduce_prod(tf.shape(values)[1:3]), tf.float32)
            # What mean and variance add to the gradient of a value is linear in the value.
            slope = -tf.square(inverse) * self._group_average(gain * along) / pixels
            offset = -mean * slope - self._group_average(gain * total) / pixels
            of_values = upstream * gain + (values * slope + offset)
            of_scale = tf.reduce_sum(inverse * along, axis=[0, 1, 2])
            return of_values, of_scale, tf.reduce_sum(total, axis=[0, 1, 2])

        return values * gain + (bias - mean * gain), gradient

    def _group_average(self, moments: tf.Tensor) -> tf.Tensor:
        """Replace moments [batch, 1, 1, channels] by their averages over each group's channels."""
        channels = self.scale.shape[0]
        size = channels // self.groups
        grouped = tf.reshape(moments, [-1, 1, 1, self.groups, size])
        averages = tf.reduce_mean(grouped, axis=-1, keepdims=True) * tf.ones([size])
        return tf.reshape(averages, [-1, 1, 1, channels])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "groups": self.groups, "epsilon": self.epsilon}
