"""The same model computed in another precision."""

from __future__ import annotations

import keras

from gddim_tf.models.diffusion_model import DiffusionModel


def with_precision(model: DiffusionModel, precision: str) -> DiffusionModel:
    """The same weights in a network that computes in another precision.

    Weights are float32 in either, so that a model trained in "mixed_bfloat16" samples in "float32"
    what the rounding of every layer would blur: for blurring diffusions, which amplify the high
    frequencies of what the network says, and on processors that lack bfloat16.

    Args:
      model: whose network, like `ScoreUNet`, gives all of its layers its own dtype policy.
      precision: a Keras dtype policy, "float32" or "mixed_bfloat16".

    Returns:
      A new model; the given one is left as it is.

    Raises:
      ValueError: if there is no such policy.

    Examples:
      gd.save(with_precision(gd.load("runs/fashion_vp"), "float32"), "fashion_vp.keras")
    """
    config = model.get_config()
    network = type(model.network).from_config({**model.network.get_config(), "dtype": precision})
    config["network"] = keras.saving.serialize_keras_object(network)
    same = DiffusionModel.from_config(config)
    same.set_weights(model.get_weights())
    return same
