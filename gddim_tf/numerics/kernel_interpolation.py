"""Matrices at random times inside a graph, interpolated between many knots."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

# Uniform in t^(1/4), in which the kernel of every diffusion here is smooth (error 1e-5) but that of
# a table of betas, which has its own.
_KNOTS = 2048


def knots(t_max: float) -> np.ndarray:
    """The times between which `interpolate` works, from 0 to `t_max`, `[knots]`."""
    return t_max * np.linspace(0.0, 1.0, _KNOTS) ** 4


def interpolate(tables: Sequence[np.ndarray], t: tf.Tensor, t_max: float) -> tuple[tf.Tensor, ...]:
    """The values at times between the knots, by cubics through four of them.

    Args:
      tables: the values at `knots(t_max)`, each `[knots, ...]`, of one rank.
      t: `[batch]`, in [0, t_max].
      t_max: the last knot.

    Returns:
      For each table `[batch, ...]`, of the dtype of `t`.
    """
    place = (t / t_max) ** 0.25 * (_KNOTS - 1)
    left = tf.clip_by_value(tf.cast(tf.floor(place), tf.int32), 1, _KNOTS - 3)
    x = tf.reshape(place - tf.cast(left, t.dtype), [-1] + [1] * (tables[0].ndim - 1))
    weights = (  # of the knots left - 1 to left + 2
        -x * (x - 1) * (x - 2) / 6,
        (x + 1) * (x - 1) * (x - 2) / 2,
        -(x + 1) * x * (x - 2) / 2,
        (x + 1) * x * (x - 1) / 6,
    )

    def between(table: np.ndarray) -> tf.Tensor:
        value = tf.constant(table, t.dtype)
        parts = (weight * tf.gather(value, left + j - 1) for j, weight in enumerate(weights))
        return functools.reduce(operator.add, parts)

    return tuple(between(table) for table in tables)
