"""Weights as constants of the graphs that draw, while nobody changes them."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.models.cast_once import dtypes_of_use
from gddim_tf.models.subject import Guidable
from gddim_tf.samplers.loop import EpsFn

# Bytes of weights; while a graph is made it holds a dozen copies of its constants.
_LARGEST = 2**23

# What a model keeps for its next draw, and what stands there once its weights have changed.
_KEPT, _CHANGING = "_constant_eps", "changing"


def drawing_eps(model: Guidable) -> EpsFn:
    """The eps of a model, for a draw: of a small network that is not being trained, `ConstantEps`.

    A model whose weights have changed since its first draw is asked as it is from then on, so that
    a graph is made again at most once.
    """
    network = getattr(model, "network", None)
    if not isinstance(network, keras.Model) or _is_trained(model, network):
        return model.eps
    kept = vars(model).setdefault(_KEPT, None)
    if kept is None:
        kept = vars(model)[_KEPT] = ConstantEps(model, network)
    if kept != _CHANGING and kept.is_current():
        return kept
    vars(model)[_KEPT] = _CHANGING
    return model.eps


def _is_trained(model: Guidable, network: keras.Model) -> bool:
    """Whether the weights may change, are on several devices, or too many."""
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    size = sum(int(np.prod(w.shape)) * tf.as_dtype(w.dtype).size for w in network.weights)
    return several or size > _LARGEST or getattr(model, "train_function", None) is not None


class ConstantEps:
    """`model.eps` with the weights of this moment as constants.

    Operations that know their weights bring them into the order that the processor wants once, not
    at every evaluation. The numbers are the same to the bit.

    Args:
      model: with a `network`, and an `eps` that may stand on it.
      network: of the model.
    """

    def __init__(self, model: Guidable, network: keras.Model) -> None:
        self._model, self._network = model, network
        self._values = [np.array(weight) for weight in network.weights]

    def is_current(self) -> bool:
        """Whether these are the weights still."""
        pairs = zip(self._values, self._network.weights, strict=True)
        return all(np.array_equal(value, weight) for value, weight in pairs)

    def __call__(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """See `GenerativeModel.eps`."""
        dtypes, constants = dtypes_of_use(self._network), []
        for weight, value in zip(self._network.weights, self._values, strict=True):
            of_use = tf.as_dtype(dtypes[id(weight)]).as_numpy_dtype
            constants.append((weight, tf.constant(value.astype(of_use))))
        with keras.StatelessScope(constants):
            return self._model.eps(u, t, labels)
