"""The components of a state as tensors of their own, and matrices that act on them."""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
from collections.abc import Sequence

import tensorflow as tf

# The k components of a state, `[batch, pixels * C]` each.
Parts = tuple[tf.Tensor, ...]

# Row by row the k x k entries of a matrix, `[]` or, with modes, `[pixels * C]` each.
Matrix = Sequence[Sequence[tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Components:
    """Between a packed state, which the network takes, and its components.

    Rows of a table multiply and add states many times; packed along the channels, each product
    would take them apart and put them together again.

    Attributes:
      count: k.
      shape: of one state, `(..., k * C)`.
    """

    count: int
    shape: tuple[int, ...]

    @property
    def part_shape(self) -> tuple[int, ...]:
        """The shape of one component, `(..., C)`."""
        return (*self.shape[:-1], self.shape[-1] // self.count)

    def split(self, state: tf.Tensor) -> Parts:
        """The components of `[batch, ..., k * C]`."""
        size = math.prod(self.part_shape)
        if self.count == 1:
            return (tf.reshape(state, [-1, size]),)
        pixels = tf.reshape(state, [-1, self.count, self.part_shape[-1]])
        # turned at once, then taken apart without a copy: twice as fast as to slice the channels
        turned = tf.reshape(tf.transpose(pixels, [1, 0, 2]), [self.count, -1, size])
        return tuple(tf.unstack(turned))

    def join(self, parts: Parts) -> tf.Tensor:
        """The inverse of `split`."""
        if self.count > 1:  # twice as fast as to concatenate along the channels
            pixels = tf.reshape(tf.stack(parts), [self.count, -1, self.part_shape[-1]])
            parts = (tf.transpose(pixels, [1, 0, 2]),)
        return tf.reshape(parts[0], [-1, *self.shape])


def product_sum(terms: Sequence[tuple[Matrix, Parts]]) -> Parts:
    """`sum_j matrix_j @ parts_j`, of at least one term."""
    totals = []
    for i in range(len(terms[0][1])):
        products = [
            w * part for matrix, parts in terms for w, part in zip(matrix[i], parts, strict=True)
        ]
        totals.append(functools.reduce(operator.add, products))
    return tuple(totals)
