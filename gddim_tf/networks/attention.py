"""Self-attention over the pixels of an image."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from gddim_tf.networks.convolution import dense
from gddim_tf.networks.layer_shape import Shape
from gddim_tf.networks.normalization import GroupNorm
from gddim_tf.networks.residual import residual_sum


@keras.saving.register_keras_serializable(package="gddim_tf")
class Attention(keras.layers.Layer):
    """Self-attention over all pixels.

    x + proj(softmax(q k^T / sqrt(channels of a head)) v), where q, k and v are linear maps of
    norm(x), split into heads of consecutive channels (Ho et al. 2020, appendix B, with a single
    head). The logits and the softmax are float32 under every policy.

    Args:
      groups: groups of the normalization; 0 for none.
      rescale: whether the sum is divided by sqrt(2).
      head_channels: channels of a head, a divisor of the channels; None for a single head.
      epsilon: of the normalization.

    Input and output: [batch, height, width, channels].

    Examples:
      >>> Attention(groups=2)(tf.zeros([1, 4, 4, 8])).shape
      TensorShape([1, 4, 4, 8])
    """

    def __init__(
        self,
        groups: int,
        rescale: bool = False,
        head_channels: int | None = None,
        epsilon: float = 1e-6,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.groups = groups
        self.rescale = rescale
        self.head_channels = head_channels
        self.epsilon = epsilon
        self.norm: GroupNorm | None = None
        if groups:
            self.norm = GroupNorm(groups, epsilon, dtype=self.dtype_policy, name="norm")

    def build(self, input_shape: Shape) -> None:
        """Create the weights."""
        if self.norm is not None:
            self.norm.build(input_shape)
        channels = input_shape[-1]
        for name, scale in (("query", 0.1), ("key", 0.1), ("value", 0.1), ("proj", 0.0)):
            layer = dense(channels, scale=scale, dtype=self.dtype_policy, name=name)
            setattr(self, name, layer)
            layer.build((None, None, channels))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Apply the layer."""
        channels = x.shape[-1]
        h = x if self.norm is None else self.norm(x)
        h = tf.reshape(h, [tf.shape(x)[0], -1, channels])
        head = self.head_channels or channels
        query = tf.cast(self.query(h), tf.float32) * head**-0.5
        key = tf.cast(self.key(h), tf.float32)
        h = self.proj(_attend(query, key, self.value(h), head))
        return residual_sum(x, tf.reshape(h, tf.shape(x)), self.rescale)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "groups": self.groups,
            "rescale": self.rescale,
            "head_channels": self.head_channels,
            "epsilon": self.epsilon,
        }


def _attend(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, head: int) -> tf.Tensor:
    """Attend within heads of so many channels, `[batch, pixels, channels]` each."""
    shape = tf.shape(value)
    heads = value.shape[-1] // head
    if heads > 1:
        query, key, value = (_split(x, heads, head) for x in (query, key, value))
    weights = tf.nn.softmax(tf.matmul(query, key, transpose_b=True))
    out = tf.matmul(tf.cast(weights, value.dtype), value)
    return out if heads == 1 else tf.reshape(tf.transpose(out, [0, 2, 1, 3]), shape)


def _split(x: tf.Tensor, heads: int, head: int) -> tf.Tensor:
    """Return `[batch, heads, pixels, channels of a head]`."""
    return tf.transpose(tf.reshape(x, [tf.shape(x)[0], -1, heads, head]), [0, 2, 1, 3])
