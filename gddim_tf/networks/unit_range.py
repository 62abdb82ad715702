"""A network that was trained on images in [0, 1], for images in [-1, 1]."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gddim_tf")
class UnitRange(keras.Model):
    """Predicts the score of `2 x - 1` where a network was trained on the score of x.

    On a variance exploding diffusion `2 u - 1` is a noisy `2 x - 1` with noise twice as large, so
    that everything which expects images in [-1, 1] can be used: samplers with clipping, pictures,
    exports, likelihoods. The network gets `(u + 1) / 2` and half of the sigma that it is told here,
    and its score, a derivative by u, is halved.

    Args:
      network: told sigma, predicts the score.

    Examples:
      >>> from gddim_tf.networks import ScoreUNet
      >>> network = UnitRange(ScoreUNet.from_preset("ddpm_tiny"))
      >>> network(tf.zeros([1, 8, 8, 1]), tf.ones([1])).shape
      TensorShape([1, 8, 8, 1])
    """

    def __init__(self, network: keras.Model, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.network = network
        self.image_size, self.channels = network.image_size, network.channels
        self.components, self.out_channels = network.components, network.out_channels
        self.num_classes = network.num_classes
        self.architecture = getattr(network, "architecture", None)
        self.built = True  # the network made its weights when it was made

    def call(
        self,
        x: tf.Tensor,
        time: tf.Tensor,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """The score, like x.

        Args:
          x: images in [-1, 1] with noise, [batch, height, width, channels].
          time: sigma of that noise, [batch].
          labels: None, or classes [batch].
          training: whether dropout is on.
        """
        return 0.5 * self.network(0.5 * x + 0.5, 0.5 * time, labels, training=training)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> UnitRange:
        """Build from `get_config()`."""
        network = keras.saving.deserialize_keras_object(config.pop("network"), custom_objects)
        return cls(network, **config)
