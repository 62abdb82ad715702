"""A functional Keras model, called as all networks are."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import tensorflow as tf

# What a network has to tell about itself.
ATTRIBUTES = ("image_size", "channels", "components", "out_channels", "num_classes")


@keras.saving.register_keras_serializable(package="gddim_tf")
class FunctionalNetwork(keras.Model):
    """`keras.Model([x, time], out)`, or with `[x, time, labels]`, as `network(x, time, labels)`.

    Args:
      functional: the model; `labels`, if it takes them, are whole numbers up to `num_classes`,
        which itself means none.
      **numbers: of `ATTRIBUTES`, kept with the model.
    """

    def __init__(self, functional: keras.Model, **numbers: int) -> None:
        options = {name: numbers.pop(name) for name in ("name", "dtype") if name in numbers}
        super().__init__(**options)
        self.functional, self.numbers = functional, numbers
        for name, value in numbers.items():
            setattr(self, name, value)
        self.built = True

    def call(
        self,
        x: tf.Tensor,
        time: tf.Tensor,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """What the functional model makes of its inputs, in their order."""
        inputs = [x, time]
        if len(self.functional.inputs) > len(inputs):
            inputs.append(tf.fill(tf.shape(time), self.num_classes) if labels is None else labels)
        return self.functional(inputs, training=training)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, serialised."""
        return {"functional": keras.saving.serialize_keras_object(self.functional), **self.numbers}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> FunctionalNetwork:
        """The network that `get_config` described, with new weights."""
        functional = keras.saving.deserialize_keras_object(config["functional"], custom_objects)
        return cls(**{**config, "functional": functional})


def as_network(network: keras.Model) -> keras.Model:
    """The network itself, or a `FunctionalNetwork` around a functional model.

    Args:
      network: that has all `ATTRIBUTES`.

    Raises:
      ValueError: if it can be called in neither way.
    """
    parameters = list(inspect.signature(network.call).parameters.values())
    if [parameter.name for parameter in parameters[:2]] != ["inputs", "training"]:
        _check_call(network, parameters)
        return network
    count, expected = len(network.inputs), 3 if network.num_classes else 2
    if count != expected:
        raise ValueError(
            f"`network` must have {expected} inputs, states, time labels"
            f"{' and labels' if network.num_classes else ''}, for num_classes="
            f"{network.num_classes}, received a functional model of {count}"
        )
    return FunctionalNetwork(network, **{name: getattr(network, name) for name in ATTRIBUTES})


def _check_call(network: keras.Model, parameters: list[inspect.Parameter]) -> None:
    """Refuse a `call` that takes no labels, or is not told whether it is training."""
    names = {parameter.name for parameter in parameters}
    kinds = {parameter.kind for parameter in parameters}
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    count = sum(parameter.kind in positional for parameter in parameters)
    places = count >= 3 or inspect.Parameter.VAR_POSITIONAL in kinds
    told = "training" in names or inspect.Parameter.VAR_KEYWORD in kinds
    if not (places and told):
        received = ", ".join(str(parameter) for parameter in parameters)
        raise ValueError(
            "`network` must be called as (x, time, labels=None, training=False), received one with "
            f"call({received})"
        )
