"""Stateless noise: image i depends on its own seed, never on the batch it was drawn in."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.numerics.circle import cos_and_sin
from gddim_tf.numerics.philox import philox

# What the last word of a counter says the bits are for.
_NOISE, _SEED = 0, 1


def image_seeds(seed: int | tf.Tensor, first: int, count: int) -> tf.Tensor:
    """One seed per image, `[count, 2]` int32: `(seed, index)` for index = first, first + 1, ...

    Raises:
      ValueError: if the seed, unless it is a tensor, is not a whole number that fits in 32 bits, or
        an index is negative or does not fit.
    """
    if not tf.is_tensor(seed) and not (_is_whole(seed) and -(2**31) <= seed < 2**31):
        raise ValueError(
            f"`seed` must be a whole number from -2**31 to 2**31 - 1, received {seed!r}"
        )
    if not _is_whole(first) or not 0 <= first <= 2**31 - count:
        raise ValueError(
            f"`first` must be a whole number from 0 to 2**31 - {count}, received {first!r}"
        )
    index = tf.constant(first, tf.int32) + tf.range(count)
    return tf.stack([tf.fill([count], tf.cast(seed, tf.int32)), index], axis=1)


def fold_in(seeds: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    """New seeds `[batch, 2]` for the `number`-th use of each seed."""
    return _folded(seeds, tf.reshape(tf.cast(number, tf.int32), [1, 1]))[:, 0]


def seeds_of_uses(seeds: tf.Tensor, first: int, count: int | tf.Tensor) -> tf.Tensor:
    """`fold_in` for the uses first, first + 1, ... at once, `[count, batch, 2]`."""
    uses = tf.range(first, first + count)[None]
    return tf.transpose(_folded(seeds, uses), [1, 0, 2])


def _folded(seeds: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """New seeds `[batch, n, 2]` for uses `[1, n]`."""
    zero = tf.zeros([1, 1], tf.int32)
    bits = philox(seeds, (numbers, zero, zero, tf.fill([1, 1], _SEED)))
    return tf.bitcast(bits[..., :2], tf.int32)


def uniform_per_image(
    seeds: tf.Tensor, shape: tuple[int, ...], dtype: tf.DType = tf.float32
) -> tf.Tensor:
    """Numbers `[batch, *shape]` uniform in (0, 1), row i from `seeds[i]` alone.

    Args:
      seeds: `[batch, 2]`, int32.
      shape: of one image.
      dtype: float32 (of 23 random bits) or float64 (of 52).
    """
    size, words = math.prod(shape), 1 if dtype == tf.float32 else 2
    zero = tf.zeros([1, 1], tf.int32)
    blocks = tf.range(-(-size * words // 4))[None]
    bits = philox(seeds, (blocks, zero, zero, tf.fill([1, 1], _NOISE)))
    bits = tf.reshape(bits, [tf.shape(seeds)[0], -1, words])[:, :size]
    # as many bits as keep (bits + 1/2) / 2^bits exact and below 1
    if words == 1:
        number, kept = tf.bitwise.right_shift(bits[..., 0], tf.constant(9, tf.uint32)), 23
    else:
        high, low = tf.unstack(tf.cast(bits, tf.uint64), axis=-1)
        both = tf.bitwise.left_shift(high, tf.constant(32, tf.uint64)) + low
        number, kept = tf.bitwise.right_shift(both, tf.constant(12, tf.uint64)), 52
    uniform = (tf.cast(number, dtype) + 0.5) * 2.0**-kept
    return tf.reshape(uniform, [-1, *shape])


def normal_per_image(
    seeds: tf.Tensor, shape: tuple[int, ...], dtype: tf.DType = tf.float32
) -> tf.Tensor:
    """Standard normal noise `[batch, *shape]`, row i from `seeds[i]` alone, by Box and Muller.

    The arithmetic is in float64 and rounded at the end: logarithms and sums of products differ in
    their last bit between XLA and the graph, and float32 noise would too.

    Args:
      seeds: `[batch, 2]`, int32.
      shape: of one image.
      dtype: of the noise, float32 or float64.
    """
    size = math.prod(shape)
    uniform = tf.cast(uniform_per_image(seeds, (2, (size + 1) // 2), dtype), tf.float64)
    radius = tf.sqrt(-2.0 * tf.math.log(uniform[:, 0]))
    cosine, sine = cos_and_sin(uniform[:, 1])
    noise = tf.concat([radius * cosine, radius * sine], axis=1)
    return tf.cast(tf.reshape(noise[:, :size], [-1, *shape]), dtype)


def signs_per_image(seeds: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    """Signs `[batch, *shape]`, each +1 or -1 with probability 1/2, row i from `seeds[i]` alone."""
    return tf.where(normal_per_image(seeds, shape) < 0, -1.0, 1.0)


def _is_whole(number: ArrayLike) -> bool:
    return np.ndim(number) == 0 and np.asarray(number).dtype.kind in "iu"
