"""The U-Net of denoising-diffusion-pytorch: attention after each level, linear but for the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import tensorflow as tf

from gddim_tf.networks.attention_unet_shapes import (
    AttentionArchitecture,
    Shapes,
    attention_weight_shapes,
)
from gddim_tf.networks.convolution import initializer
from gddim_tf.networks.embeddings import positional_embedding
from gddim_tf.networks.pixel_attention import full_attention, linear_attention, rms_norm
from gddim_tf.networks.unet import UNet


@keras.saving.register_keras_serializable(package="gddim_tf")
class AttentionUNet(UNet):
    """A U-Net of RMS norms whose levels end with attention, for variance preserving diffusions.

    A level has two residual blocks, attention and a change of resolution (space to depth and a
    convolution on the way down); both blocks give a skip, and the first convolution a last one. It
    is the `Unet` of denoising-diffusion-pytorch, version 2, in float32.

    Args:
      name: name of the Keras model.
      **options: the fields of `AttentionArchitecture`, where all are explained.

    Call arguments:
      x: images [batch, height, width, channels] in [-1, 1] with noise.
      time: index of the training step [batch].
      labels: None; the network has no classes.
      training: whether dropout is active.

    Output:
      float32 [batch, height, width, channels].

    Raises:
      TypeError: for an unknown option.
      ValueError: for options out of range.

    Examples:
      >>> import tensorflow as tf
      >>> network = AttentionUNet(
      ...     image_size=8, channels=1, base_channels=4, widths=(4, 4, 8),
      ...     full_attention=(False, True), heads=(2, 2), head_channels=(4, 4))
      >>> network(tf.zeros([2, 8, 8, 1]), tf.constant([0.0, 99.0])).shape
      TensorShape([2, 8, 8, 1])
    """

    architecture: AttentionArchitecture
    architecture_type = AttentionArchitecture
    weight_shapes: ClassVar[Callable[[Any], Shapes]] = staticmethod(attention_weight_shapes)

    def __init__(
        self,
        *,
        name: str = "attention_unet",
        dtype: Any = None,
        trainable: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(AttentionArchitecture.from_options(options), name, dtype, trainable)
        self.drop = keras.layers.Dropout(self.architecture.dropout, dtype="float32")
        self._named = {
            place: self._new_weight(place, shape)
            for place, shape in attention_weight_shapes(self.architecture).items()
        }
        self.built = True

    def call(
        self,
        x: tf.Tensor,
        time: tf.Tensor,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Predict; see the class."""
        arch = self.architecture
        self.check_inputs(x, time, labels)
        temb = self._embed(tf.cast(time, tf.float32))
        first = h = self._conv("init_conv", tf.cast(x, tf.float32))
        skips = []
        for level in range(arch.levels):
            h = self._block(f"downs.{level}.0", h, temb, training)
            skips.append(h)
            h = self._block(f"downs.{level}.1", h, temb, training)
            h = self._attend(f"downs.{level}.2", h, level)
            skips.append(h)
            last = level + 1 == arch.levels
            h = self._conv(f"downs.{level}.3", h, stride=1 if last else 2)
        h = self._block("mid_block1", h, temb, training)
        h = self._attend("mid_attn", h, arch.levels)
        h = self._block("mid_block2", h, temb, training)
        for step in range(arch.levels):
            level = arch.levels - 1 - step
            h = self._block(f"ups.{step}.0", tf.concat([h, skips.pop()], -1), temb, training)
            h = self._block(f"ups.{step}.1", tf.concat([h, skips.pop()], -1), temb, training)
            h = self._attend(f"ups.{step}.2", h, level)
            if level:
                h = tf.repeat(tf.repeat(h, 2, axis=1), 2, axis=2)
            h = self._conv(f"ups.{step}.3", h)
        h = self._block("final_res_block", tf.concat([h, first], -1), temb, training)
        return self._conv("final_conv", h)

    def named_weights(self) -> dict[str, keras.Variable]:
        """Return all weights by their place, such as "downs.0.1.block2.proj.kernel"."""
        return dict(self._named)

    def _new_weight(self, place: str, shape: tuple[int, ...]) -> keras.Variable:
        start = {"bias": "zeros", "scale": "ones", "memory": "random_normal"}
        kind = place.rpartition(".")[2]
        name = place.replace(".", "_")
        return self.add_weight(
            shape=shape, initializer=start.get(kind) or initializer(), name=name, dtype="float32"
        )

    def _embed(self, time: tf.Tensor) -> tf.Tensor:
        h = positional_embedding(time, self.architecture.base_channels)
        h = tf.nn.gelu(self._dense("time_mlp.1", h))
        return tf.nn.silu(self._dense("time_mlp.3", h))

    def _block(self, place: str, x: tf.Tensor, temb: tf.Tensor, training: bool) -> tf.Tensor:
        scale, shift = tf.split(self._dense(f"{place}.mlp.1", temb)[:, None, None], 2, axis=-1)
        h = self._normed(f"{place}.block1.norm", self._conv(f"{place}.block1.proj", x))
        h = self.drop(tf.nn.silu(h * (scale + 1) + shift), training=training)
        h = self._normed(f"{place}.block2.norm", self._conv(f"{place}.block2.proj", h))
        short = f"{place}.res_conv"
        return tf.nn.silu(h) + (self._conv(short, x) if f"{short}.kernel" in self._named else x)

    def _attend(self, place: str, x: tf.Tensor, level: int) -> tf.Tensor:
        heads, full = self.architecture.heads_of(level), self.architecture.is_full(level)
        joint = self._conv(f"{place}.to_qkv", self._normed(f"{place}.norm", x))
        query, key, value = tf.split(joint, 3, axis=-1)
        attention = full_attention if full else linear_attention
        h = attention(query, key, value, self._named[f"{place}.memory"], heads)
        h = self._conv(f"{place}.to_out", h)
        return x + (h if full else self._normed(f"{place}.out_norm", h))

    def _normed(self, place: str, x: tf.Tensor) -> tf.Tensor:
        return rms_norm(x, self._named[f"{place}.scale"])

    def _dense(self, place: str, x: tf.Tensor) -> tf.Tensor:
        return x @ self._named[f"{place}.kernel"] + self._named[f"{place}.bias"]

    def _conv(self, place: str, x: tf.Tensor, stride: int = 1) -> tf.Tensor:
        h = tf.nn.conv2d(x, self._named[f"{place}.kernel"], stride, "SAME")
        bias = self._named.get(f"{place}.bias")
        return h if bias is None else h + bias
