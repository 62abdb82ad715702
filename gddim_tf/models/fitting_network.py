"""A network that fits a diffusion: made from a preset, or checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from gddim_tf.models.functional_network import ATTRIBUTES, as_network
from gddim_tf.models.prediction import output_components
from gddim_tf.networks import PRESETS, ScoreUNet
from gddim_tf.sdes import LinearSDE


def preset_network(
    preset: str, sde: LinearSDE, prediction: str, options: dict[str, Any]
) -> ScoreUNet:
    """A named network with the components and output channels that a diffusion needs.

    Args:
      preset: a key of `networks.PRESETS`.
      sde: the diffusion.
      prediction: what the network predicts.
      options: of `ScoreUNet`, where they differ from the preset.

    Raises:
      ValueError: if there is no such preset, or an option is out of its range.
    """
    options = {"components": sde.components, **options}
    if "out_channels" not in options and preset in PRESETS:
        channels = options.get("channels", PRESETS[preset]["channels"])
        options["out_channels"] = output_components(prediction, sde) * channels
    return ScoreUNet.from_preset(preset, **options)


def check_network(network: keras.Model, sde: LinearSDE, prediction: str) -> keras.Model:
    """Refuse a network that was not made for a diffusion and for what it is to predict.

    Returns:
      The network, or what calls it as all networks are called if it is a functional model.

    Raises:
      ValueError: if the network lacks one of its numbers, cannot be called as all are, was made for
        another number of components or output channels, or takes the logarithm of time labels that
        are not positive.
    """
    missing = [name for name in ATTRIBUTES if not hasattr(network, name)]
    if missing:
        raise ValueError(
            "`network` must have the attributes image_size and channels (of the images), "
            f"components ({sde.components} for this diffusion), out_channels (of its output) and "
            f"num_classes (0 for none), received one without {', '.join(missing)}"
        )
    if network.components != sde.components:
        raise ValueError(
            f"`network` must have components={sde.components} for {sde}, received "
            f"components={network.components}"
        )
    channels = output_components(prediction, sde) * network.channels
    if network.out_channels != channels:
        raise ValueError(
            f'`network` must have out_channels={channels} for prediction="{prediction}", '
            f"received {network.out_channels}"
        )
    architecture = getattr(network, "architecture", None)
    if architecture and architecture.embedding == "fourier" and architecture.log_label:
        lowest = float(sde.time_label(sde.training_times(tf.zeros([1])))[0])
        if not lowest > 0:
            raise ValueError(
                f"`network` must have log_label=False for {sde}, whose time labels begin at "
                f"{lowest:g}, received one that takes their logarithm"
            )
    return as_network(network)


def checked_names(class_names: Sequence[str], network: keras.Model) -> tuple[str, ...]:
    """The names of the classes of a network; raises a ValueError unless there is one of each."""
    if class_names and len(class_names) != network.num_classes:
        raise ValueError(
            f"`class_names` must be {network.num_classes}, as many as the network has classes, "
            f"received {len(class_names)}"
        )
    return tuple(class_names)
