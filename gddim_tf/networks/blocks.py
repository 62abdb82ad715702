"""The residual block, and the combination with an input pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from gddim_tf.networks.activations import ACTIVATIONS
from gddim_tf.networks.convolution import conv, dense
from gddim_tf.networks.layer_shape import Shape
from gddim_tf.networks.normalization import GroupNorm
from gddim_tf.networks.resampling import downsample, upsample
from gddim_tf.networks.residual import residual_sum


@keras.saving.register_keras_serializable(package="gddim_tf")
class ResidualBlock(keras.layers.Layer):
    """The residual block of DDPM and, with `resample`, that of BigGAN.

    h = conv1(resample(act(norm1(x)))) + temb_proj(temb)
    h = conv2(dropout(act(norm2(h))))
    returns shortcut(resample(x)) + h, where the shortcut is a 1x1 convolution if the block
    resamples or changes the number of channels, and the identity otherwise
    (Ho et al. 2020, appendix B; Song et al. 2021, section H). With `scale_shift` the embedding
    acts after the second normalization instead, norm2(h) (1 + scale) + shift, where
    [scale, shift] = temb_proj(temb) (Dhariwal and Nichol 2021, section 3.1).

    Args:
      filters: channels of the output.
      groups: groups of the two normalizations (input, output).
      resample: "down", "up" or None.
      kernel: taps of the resampling filter, see `downsample` and `upsample`.
      dropout: dropout rate before the second convolution.
      rescale: whether the sum is divided by sqrt(2).
      activation: "silu", "gelu", "relu" or "mish".
      scale_shift: how the time embedding acts, see above.
      resample_shortcut: whether a block that resamples has a convolution in its shortcut even if
        the number of channels stays.
      epsilon: of the normalizations.

    Inputs: [batch, height, width, channels] and the time embedding [batch, width], already
    activated. Output: [batch, height', width', filters].

    Examples:
      >>> block = ResidualBlock(16, groups=(2, 4), resample="down")
      >>> block(tf.zeros([1, 8, 8, 4]), tf.zeros([1, 32])).shape
      TensorShape([1, 4, 4, 16])
    """

    def __init__(
        self,
        filters: int,
        groups: Sequence[int],
        resample: str | None = None,
        kernel: Sequence[float] | None = None,
        dropout: float = 0.0,
        rescale: bool = False,
        activation: str = "silu",
        scale_shift: bool = False,
        resample_shortcut: bool = True,
        epsilon: float = 1e-6,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.groups = tuple(groups)
        self.resample = resample
        self.kernel = None if kernel is None else tuple(kernel)
        self.dropout = dropout
        self.rescale = rescale
        self.activation = activation
        self.scale_shift = scale_shift
        self.resample_shortcut = resample_shortcut
        self.epsilon = epsilon
        policy = self.dtype_policy
        self.norm1 = GroupNorm(self.groups[0], epsilon, dtype=policy, name="norm1")
        self.conv1 = conv(filters, 3, dtype=policy, name="conv1")
        self.temb_proj = dense((1 + scale_shift) * filters, dtype=policy, name="temb_proj")
        self.norm2 = GroupNorm(self.groups[1], epsilon, dtype=policy, name="norm2")
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
        resamples = self.resample and self.resample_shortcut
        if resamples or x_shape[-1] != self.filters:
            shortcut = conv(self.filters, 1, dtype=self.dtype_policy, name="shortcut")
            shortcut.build((*inner[:-1], x_shape[-1]))
            self.shortcut = shortcut

    def call(self, x: tf.Tensor, temb: tf.Tensor) -> tf.Tensor:
        """Apply the block."""
        activate = ACTIVATIONS[self.activation]
        h = activate(self.norm1(x))
        if self.resample:
            change = downsample if self.resample == "down" else upsample
            h, x = change(h, self.kernel), change(x, self.kernel)
        h, temb = self.conv1(h), self.temb_proj(temb)[:, None, None, :]
        if self.scale_shift:
            scale, shift = tf.split(temb, 2, axis=-1)
            h = self.norm2(h) * (1.0 + scale) + shift
        else:
            h = self.norm2(h + temb)
        h = self.conv2(self.drop(activate(h)))
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
            "activation": self.activation,
            "scale_shift": self.scale_shift,
            "resample_shortcut": self.resample_shortcut,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable(package="gddim_tf")
class Combine(keras.layers.Layer):
    """Bring an input pyramid into the features through a 1x1 convolution (Song et al. 2021).

    Args:
      method: "sum" adds, "cat" puts the convolved pyramid before the features.

    Inputs: pyramid [batch, height, width, channels'], features [batch, height, width, channels].
    Output: [batch, height, width, channels], or twice as many channels for "cat".

    Examples:
      >>> Combine("cat")(tf.zeros([1, 4, 4, 3]), tf.zeros([1, 4, 4, 8])).shape
      TensorShape([1, 4, 4, 16])
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
