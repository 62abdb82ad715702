"""How an export stores a network's weights: as they are, or in 16 bits."""

from __future__ import annotations

import contextlib

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.choice import one_of

STORED = ("float32", "float16")


class StoredWeights:
    """The variables that an export keeps for a network, and what the network then computes with.

    Args:
      network: whose weights they are.
      dtype: "float32" for the network's own variables; "float16" for rounded ones of half the
        size, which become float32 again at each evaluation.

    Raises:
      ValueError: for another dtype, or weights that are no numbers in it.

    Examples:
      >>> network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
      >>> StoredWeights(network, "float16").variables[0].dtype.name
      'float16'
    """

    def __init__(self, network: keras.Model, dtype: str = "float32") -> None:
        one_of("weights", dtype, STORED)
        self._weights, self._rounded = network.weights, dtype == "float16"
        self.variables = [_rounded(w) if self._rounded else w.value for w in self._weights]

    def scope(self) -> contextlib.AbstractContextManager:
        """In which the network computes with what is stored."""
        if not self._rounded:
            return contextlib.nullcontext()
        pairs = zip(self._weights, self.variables, strict=True)
        return keras.StatelessScope([(w, tf.cast(stored, w.dtype)) for w, stored in pairs])


def _rounded(weight: keras.Variable) -> tf.Variable:
    values = np.asarray(weight)
    largest = np.abs(values).max(initial=0.0)
    if not largest <= np.finfo(np.float16).max:
        raise ValueError(
            f"`weights` must be float32 for a network with weights beyond 65504, received float16 "
            f"and {weight.path} with {largest:.3g}"
        )
    return tf.Variable(values.astype(np.float16), trainable=False, name=weight.name)
