"""Stateless noise: image i depends on its own seed, never on the batch it was drawn in."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

# The default algorithm draws other bits under XLA than outside it; Philox does not.
_ALGORITHM = "philox"
# Of the bits drawn for one number, as many as keep `(bits + 1/2) / 2^bits` exact and inside (0, 1).
_BITS = {tf.float32: (tf.uint32, 32, 23), tf.float64: (tf.uint64, 64, 52)}


def image_seeds(seed: int | tf.Tensor, start: int, count: int) -> tf.Tensor:
    """One seed per image, `[count, 2]` int32: `(seed, index)` for index = start, start + 1, ...

    Raises:
      ValueError: if the seed is a Python number that does not fit in 32 bits.
    """
    if isinstance(seed, int) and not -(2**31) <= seed < 2**31:
        raise ValueError(f"`seed` must be from -2**31 to 2**31 - 1, received {seed}")
    index = tf.range(start, start + count, dtype=tf.int32)
    return tf.stack([tf.fill([count], tf.cast(seed, tf.int32)), index], axis=1)


def fold_in(seeds: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    """New seeds `[batch, 2]` for the `number`-th use of each seed."""
    number = tf.cast(number, tf.int32)

    def fold(seed: tf.Tensor) -> tf.Tensor:
        return tf.random.experimental.stateless_fold_in(seed, number, alg=_ALGORITHM)

    return tf.map_fn(fold, seeds, fn_output_signature=tf.TensorSpec([2], tf.int32))


def normal(
    seed: tf.Tensor, shape: tuple[int, ...] | tf.Tensor, dtype: tf.DType = tf.float32
) -> tf.Tensor:
    """Standard normal noise from one seed.

    The method is Box and Muller's, from Philox bits, because `tf.random.stateless_normal` turns the
    same bits into other numbers under XLA than outside it.

    Args:
      seed: `[2]`, int32.
      shape: of the noise.
      dtype: of the noise, float32 or float64.
    """
    integer, width, kept = _BITS[tf.as_dtype(dtype)]
    size = tf.reduce_prod(shape) if tf.is_tensor(shape) else math.prod(shape)
    bits = tf.random.stateless_uniform(
        [2, (size + 1) // 2], seed, None, None, dtype=integer, alg=_ALGORITHM
    )
    bits = tf.bitwise.right_shift(bits, tf.constant(width - kept, integer))
    uniform = (tf.cast(bits, dtype) + 0.5) * 2.0**-kept
    radius, angle = tf.sqrt(-2.0 * tf.math.log(uniform[0])), 2 * np.pi * uniform[1]
    noise = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], axis=0)
    return tf.reshape(noise[:size], shape)


def normal_per_image(
    seeds: tf.Tensor, shape: tuple[int, ...], dtype: tf.DType = tf.float32
) -> tf.Tensor:
    """Standard normal noise `[batch, *shape]`, row i from `seeds[i]` alone.

    Args:
      seeds: `[batch, 2]`, int32.
      shape: of one image.
      dtype: of the noise, float32 or float64.
    """
    return tf.map_fn(
        lambda seed: normal(seed, shape, dtype),
        seeds,
        fn_output_signature=tf.TensorSpec(shape, dtype),
    )
