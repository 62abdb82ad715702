"""The score network: one U-Net family for DDPM, DDPM++, NCSN++, EDM and Langevin diffusions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import tensorflow as tf

from gddim_tf.choice import one_of
from gddim_tf.image_size import ImageSize
from gddim_tf.networks.activations import ACTIVATIONS
from gddim_tf.networks.architecture import Architecture
from gddim_tf.networks.assembly import input_shapes, make_layer
from gddim_tf.networks.blocks import ResidualBlock
from gddim_tf.networks.embeddings import positional_embedding
from gddim_tf.networks.layout import layout
from gddim_tf.networks.patches import from_patches, to_patches
from gddim_tf.networks.presets import PRESETS
from gddim_tf.networks.residual import residual_sum
from gddim_tf.networks.shapes import Shapes, weight_shapes
from gddim_tf.networks.unet import UNet


@keras.saving.register_keras_serializable(package="gddim_tf")
class ScoreUNet(UNet):
    """A U-Net that predicts the noise (or the score) of an image diffusion.

    Args:
      image_size: pixels a side of the images, or (height, width).
      channels: channels of one image.
      components: state components per pixel.
      name: name of the Keras model.
      dtype: Keras dtype policy. Under "mixed_bfloat16" the time embedding, the statistics of the
        normalizations, the attention's softmax, the last convolution and the output are float32 all
        the same.
      **options: the other fields of `Architecture`, where all are explained.

    Call arguments:
      x: state [batch, height, width, components * channels], components packed along the channels
        (images first, then velocities).
      time: label [batch], in the unit that the network was trained with (999 t, an index, sigma);
        positive for a logarithmic Fourier embedding.
      labels: int32 [batch] in [0, num_classes]; `num_classes` is the null class, which None stands
        for.
      training: whether dropout is active.

    Output:
      float32 [batch, height, width, out_channels].

    Raises:
      TypeError: for an unknown option.
      ValueError: for options out of range, inputs of another shape, or labels given to a network
        without classes.

    Every weight exists when the constructor returns. Ho et al. 2020 (arXiv:2006.11239), Song et al.
    2021 (arXiv:2011.13456).

    Examples:
      >>> network = ScoreUNet.from_preset("ddpm_tiny")
      >>> network(tf.zeros([2, 8, 8, 1]), tf.constant([0.0, 999.0])).shape
      TensorShape([2, 8, 8, 1])
    """

    architecture: Architecture
    architecture_type = Architecture
    weight_shapes: ClassVar[Callable[[Any], Shapes]] = staticmethod(weight_shapes)

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        components: int = 1,
        *,
        name: str = "score_unet",
        dtype: Any = None,
        trainable: bool = True,
        **options: Any,
    ) -> None:
        sizes = {"image_size": image_size, "channels": channels, "components": components}
        architecture = Architecture.from_options({**sizes, **options})
        super().__init__(architecture, name, dtype, trainable)
        self.parts: dict[str, keras.layers.Layer] = {}
        self.build()

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> ScoreUNet:
        """Build a network from its name, with some options replaced.

        Args:
          name: one of `ScoreUNet.presets()`.
          **overrides: constructor arguments that take the place of the preset's.

        Raises:
          ValueError: if there is no such preset.
        """
        one_of("name", name, cls.presets())
        return cls(**{**PRESETS[name], **overrides})

    @staticmethod
    def presets() -> list[str]:
        """Return the names that `from_preset` knows."""
        return sorted(PRESETS)

    def build(self, input_shape: Any = None) -> None:
        """Create every layer and weight, once; the shapes follow from the architecture."""
        if self.parts:
            return
        for part in layout(self.architecture):
            layer = make_layer(part, self.architecture, self.dtype_policy)
            layer.build(*input_shapes(part, self.architecture))
            self.parts[part.name] = layer
        self.built = True

    def call(
        self,
        x: tf.Tensor,
        time: tf.Tensor,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Predict; see the class."""
        self.check_inputs(x, time, labels)
        x, time = tf.cast(x, tf.float32), tf.cast(time, tf.float32)
        if not self.architecture.centered:
            x = 2.0 * x - 1.0
        x = to_patches(x, self.architecture.patch_size)
        temb = self._embed(time, labels)
        skips = self._encode(x, temb)
        y = tf.cast(self._decode(self._middle(skips[-1], temb), skips, temb), tf.float32)
        y = from_patches(y, self.architecture.patch_size)
        return y / time[:, None, None, None] if self.architecture.scale_by_sigma else y

    def named_weights(self) -> dict[str, keras.Variable]:
        """Return all weights by their place, such as "down.0.block.1.conv1.kernel".

        The first part of a name is a key of `parts`, the rest is the path within that layer.
        """
        named = {}
        for part, layer in self.parts.items():
            for variable in layer.weights:
                path = variable.path.rsplit(f"{layer.name}/", 1)[1]
                named[f"{part}.{path.replace('/', '.')}"] = variable
        return named

    def _embed(self, time: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        """Embed the time label and the class; activated once for all blocks."""
        arch = self.architecture
        if "temb.fourier" in self.parts:
            h = self.parts["temb.fourier"](time)
        else:
            waves = arch.frequency_shift, arch.cosine_first
            h = positional_embedding(time, arch.base_channels, *waves)
        if self.num_classes and labels is None:
            labels = tf.fill(tf.shape(time), self.num_classes)
        if self.num_classes and arch.label_place == "input":
            h += self.parts["temb.labels"](labels)
        h = self.parts["temb.dense_1"](tf.nn.silu(self.parts["temb.dense_0"](h)))
        if self.num_classes and arch.label_place == "output":
            h += self.parts["temb.labels"](labels)
        return ACTIVATIONS[arch.activation](h)

    def _encode(self, x: tf.Tensor, temb: tf.Tensor) -> list[tf.Tensor]:
        """Run the way down; the features after each layer are the skips."""
        skips = [self.parts["conv_in"](x)]
        pyramid = x
        for level in range(self.architecture.levels):
            for block in range(self.architecture.blocks_per_level):
                h = self.parts[f"down.{level}.block.{block}"](skips[-1], temb)
                skips.append(self._apply_if_present(f"down.{level}.attn.{block}", h))
            if level < self.architecture.levels - 1:
                h = self._resample(f"down.{level}.downsample", skips[-1], temb)
                h, pyramid = self._merge_input(level, h, pyramid)
                skips.append(h)
        return skips

    def _middle(self, h: tf.Tensor, temb: tf.Tensor) -> tf.Tensor:
        """Run the lowest resolution between the two ways."""
        if self.architecture.middle == "none":
            return h
        h = self._apply_if_present("mid.attn", self.parts["mid.block.0"](h, temb))
        return self.parts["mid.block.1"](h, temb)

    def _decode(self, h: tf.Tensor, skips: list[tf.Tensor], temb: tf.Tensor) -> tf.Tensor:
        """Run the way up, consuming the skips, and return the output."""
        pyramid = None
        for level in reversed(range(self.architecture.levels)):
            for block in range(self.architecture.blocks_per_level + 1):
                h = tf.concat([h, skips.pop()], axis=-1)
                h = self.parts[f"up.{level}.block.{block}"](h, temb)
                h = self._apply_if_present(f"up.{level}.attn.{block}", h)
            h, pyramid = self._branch_output(level, h, pyramid)
            if level:
                h = self._resample(f"up.{level}.upsample", h, temb)
        if pyramid is not None and self.architecture.output_pyramid == "skip":
            return pyramid
        return self._norm_and_conv("norm_out", "conv_out", h)

    def _merge_input(
        self, level: int, h: tf.Tensor, pyramid: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Bring the downsampled input into the features; returns both."""
        if self.architecture.input_pyramid == "none":
            return h, pyramid
        pyramid = self.parts[f"down.{level}.input_pyramid"](pyramid)
        if self.architecture.input_pyramid == "skip":
            return self.parts[f"down.{level}.combine"](pyramid, h), pyramid
        h = residual_sum(pyramid, h, self.architecture.skip_rescale)
        return h, h

    def _branch_output(
        self, level: int, h: tf.Tensor, pyramid: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Bring the features into the output pyramid; returns both."""
        kind = self.architecture.output_pyramid
        if kind == "none":
            return h, None
        if pyramid is not None:
            pyramid = self.parts[f"up.{level}.pyramid_upsample"](pyramid)
        if kind == "residual" and pyramid is not None:
            h = residual_sum(pyramid, h, self.architecture.skip_rescale)
            return h, h
        own = self._norm_and_conv(f"up.{level}.pyramid_norm", f"up.{level}.pyramid_conv", h)
        return h, own if pyramid is None else pyramid + own

    def _resample(self, name: str, h: tf.Tensor, temb: tf.Tensor) -> tf.Tensor:
        layer = self.parts[name]
        return layer(h, temb) if isinstance(layer, ResidualBlock) else layer(h)

    def _apply_if_present(self, name: str, h: tf.Tensor) -> tf.Tensor:
        return self.parts[name](h) if name in self.parts else h

    def _norm_and_conv(self, norm: str, convolution: str, h: tf.Tensor) -> tf.Tensor:
        return self.parts[convolution](tf.nn.silu(self.parts[norm](h)))
