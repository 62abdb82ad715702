"""The residual block, attention over pixels and the combination with an input pyramid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from gddim_tf.networks.convolution import conv, dense
from gddim_tf.networks.normalization import GroupNorm
from gddim_tf.networks.resampling import downsample, upsample

Shape = tuple[int | None, ...]


def residual_sum(x: tf.Tensor, h: tf.Tensor, rescale: bool) -> tf.Tensor:
    """Return x + h, divided by sqrt(2) if `rescale`, which keeps the variance."""
    return (x + h) * (1.0 / math.sqrt(2.0)) if rescale else x + h


@keras.saving.register_keras_serializable(package="gddim_tf")
class ResidualBlock(keras.layers.Layer):
    """The residual block of DDPM and, with `resample`, that of BigGAN.

    h = conv1(resample(swish(norm1(x)))) + temb_proj(temb)
    h = conv2(dropout(swish(norm2(h))))
    returns shortcut(resample(x)) + h, where the shortcut is a 1x1 convolution if the block
    resamples or changes the number of channels, and the identity otherwise
    (Ho et al. 2020, appendix B; Song et al. 2021, section H).

    Args:
        filters: channels of the output.
        groups: groups of the two normalizations (input, output).
        resample: "down", "up" or None.
        kernel: taps of the resampling filter, see `downsample` and `upsample`.
        dropout: dropout rate before the second convolution.
        rescale: whether the sum is divided by sqrt(2).

    Inputs: [batch, height, width, channels] and the time embedding [batch, width], already
    activated. Output: [batch, height', width', filters].
    """

    def __init__(
        self,
        filters: int,
        groups: Sequence[int],
        resample: str | None = None,
        kernel: Sequence[float] | None = None,
        dropout: float = 0.0,
        rescale: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.groups = tuple(groups)
        self.resample = resample
        self.kernel = None if kernel is None else tuple(kernel)
        self.dropout = dropout
        self.rescale = rescale
        policy = self.dtype_policy
        self.norm1 = GroupNorm(self.groups[0], dtype=policy, name="norm1")
        self.conv1 = conv(filters, 3, dtype=policy, name="conv1")
        self.temb_proj = dense(filters, dtype=policy, name="temb_proj")
        self.norm2 = GroupNorm(self.groups[1], dtype=policy, name="norm2")
        self.drop = keras.layers.Dropout(dropout, dtype=policy, name="dropout")
        self.conv2 = conv(filters, 3, scale=0.0, dtype=policy, name="conv2")
        self.shortcut: keras.layers.Conv2D | None = None

    def build(self, x_shape: Shape, temb_shape: Shape) -> None:
        """Create the weights; the shortcut only exists if it is needed."""
        inner = self.compute_output_shape(x_shape, temb_shape)
        self.norm1.build(x_shape)
        self.conv1.build((*inner[:-1], x_shape[-1]))
        self.temb_proj.build(temb_shape)
        self.norm2.build(inner)
        self.conv2.build(inner)
        if self.resample or x_shape[-1] != self.filters:
            self.shortcut = conv(self.filters, 1, dtype=self.dtype_policy, name="shortcut")
            self.shortcut.build((*inner[:-1], x_shape[-1]))

    def call(self, x: tf.Tensor, temb: tf.Tensor) -> tf.Tensor:
        """Apply the block."""
        h = tf.nn.silu(self.norm1(x))
        if self.resample:
            change = downsample if self.resample == "down" else upsample
            h, x = change(h, self.kernel), change(x, self.kernel)
        h = self.conv1(h) + self.temb_proj(temb)[:, None, None, :]
        h = self.conv2(self.drop(tf.nn.silu(self.norm2(h))))
        if self.shortcut is not None:
            x = self.shortcut(x)
        return residual_sum(x, h, self.rescale)

    def compute_output_shape(self, x_shape: Shape, temb_shape: Shape) -> Shape:
        """Return the shape of the block's output."""
        factor = {"down": 0.5, "up": 2, None: 1}[self.resample]
        sizes = [None if size is None else int(factor * size) for size in x_shape[1:3]]
        return (x_shape[0], *sizes, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "groups": self.groups,
            "resample": self.resample,
            "kernel": self.kernel,
            "dropout": self.dropout,
            "rescale": self.rescale,
        }


@keras.saving.register_keras_serializable(package="gddim_tf")
class Attention(keras.layers.Layer):
    """Single-head self-attention over all pixels.

    x + proj(softmax(q k^T / sqrt(channels)) v), where q, k and v are linear maps of norm(x)
    (Ho et al. 2020, appendix B). The logits and the softmax are float32 under every policy.

    Args:
        groups: groups of the normalization.
        rescale: whether the sum is divided by sqrt(2).

    Input and output: [batch, height, width, channels].
    """

    def __init__(self, groups: int, rescale: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups = groups
        self.rescale = rescale
        self.norm = GroupNorm(groups, dtype=self.dtype_policy, name="norm")

    def build(self, input_shape: Shape) -> None:
        """Create the weights."""
        self.norm.build(input_shape)
        channels = input_shape[-1]
        for name, scale in (("query", 0.1), ("key", 0.1), ("value", 0.1), ("proj", 0.0)):
            layer = dense(channels, scale=scale, dtype=self.dtype_policy, name=name)
            setattr(self, name, layer)
            layer.build((None, None, channels))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Apply the layer."""
        channels = x.shape[-1]
        h = tf.reshape(self.norm(x), [tf.shape(x)[0], -1, channels])
        query = tf.cast(self.query(h), tf.float32) * channels**-0.5
        key = tf.cast(self.key(h), tf.float32)
        weights = tf.nn.softmax(tf.matmul(query, key, transpose_b=True))
        value = self.value(h)
        h = self.proj(tf.matmul(tf.cast(weights, value.dtype), value))
        return residual_sum(x, tf.reshape(h, tf.shape(x)), self.rescale)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "groups": self.groups, "rescale": self.rescale}


@keras.saving.register_keras_serializable(package="gddim_tf")
class Combine(keras.layers.Layer):
    """Bring an input pyramid into the features through a 1x1 convolution (Song et al. 2021).

    Args:
        method: "sum" adds, "cat" puts the convolved pyramid before the features.

    Inputs: pyramid [batch, height, width, channels'], features [batch, height, width, channels].
    Output: [batch, height, width, channels], or twice as many channels for "cat".
    """

    def __init__(self, method: str = "sum", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.method = method

    def build(self, pyramid_shape: Shape, features_shape: Shape) -> None:
        """Create the convolution, as wide as the features."""
        self.conv = conv(features_shape[-1], 1, dtype=self.dtype_policy, name="conv")
        self.conv.build(pyramid_shape)

    def call(self, pyramid: tf.Tensor, features: tf.Tensor) -> tf.Tensor:
        """Combine the two."""
        h = self.conv(pyramid)
        return h + features if self.method == "sum" else tf.concat([h, features], axis=-1)

    def compute_output_shape(self, pyramid_shape: Shape, features_shape: Shape) -> Shape:
        """Return the shape of the combination."""
        factor = 1 if self.method == "sum" else 2
        return (*features_shape[:-1], factor * features_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "method": self.method}
