"""What the U-Nets share: an architecture that decides their shapes, and inputs that fit it."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from gddim_tf.image_size import sides
from gddim_tf.networks.architecture import Architecture
from gddim_tf.networks.attention_unet_shapes import AttentionArchitecture
from gddim_tf.networks.layer_shape import Shape


class UNet(keras.Model):
    """A network `(x, time, labels=None, training=False)` whose shapes follow from an architecture.

    Args:
      architecture: everything that decides its weights.
      name: name of the Keras model.
      dtype: Keras dtype policy.
      trainable: whether its weights are trained.
    """

    def __init__(
        self,
        architecture: Architecture | AttentionArchitecture,
        name: str,
        dtype: Any,
        trainable: bool,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable, autocast=False)
        self.architecture = architecture
        self.image_size, self.channels = architecture.image_size, architecture.channels
        self.components, self.out_channels = architecture.components, architecture.out_channels
        self.num_classes = architecture.num_classes

    def check_inputs(self, x: tf.Tensor, time: tf.Tensor, labels: tf.Tensor | None) -> None:
        """Raise a ValueError for inputs of another shape, or labels without classes."""
        expected = (None, *sides(self.image_size), self.architecture.in_channels)
        if not tf.TensorShape(x.shape).is_compatible_with(expected):
            raise ValueError(f"`x` must have shape {expected}, received {tuple(x.shape)}")
        if not tf.TensorShape(time.shape).is_compatible_with((x.shape[0],)):
            raise ValueError(
                f"`time` must have shape ({x.shape[0]},), received {tuple(time.shape)}"
            )
        if labels is not None and not self.num_classes:
            raise ValueError("`labels` need a network with `num_classes` > 0, this one has none")

    def compute_output_shape(self, x_shape: Any, *_: Any) -> Shape:
        """Return [batch, height, width, out_channels]."""
        return (x_shape[0], *sides(self.image_size), self.out_channels)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), **dataclasses.asdict(self.architecture)}
