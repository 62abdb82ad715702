"""The activations of the family, by name."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def _gelu(x: tf.Tensor) -> tf.Tensor:
    """Return x Phi(x) with the normal distribution itself, not its approximation by tanh."""
    return tf.nn.gelu(x, approximate=False)


def _mish(x: tf.Tensor) -> tf.Tensor:
    """Return x tanh(log(1 + exp(x)))."""
    return x * tf.tanh(tf.nn.softplus(x))


ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "silu": tf.nn.silu,
    "gelu": _gelu,
    "relu": tf.nn.relu,
    "mish": _mish,
}
