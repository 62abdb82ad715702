"""Stateless noise: image i depends on its own seed, never on the batch it was drawn in."""

from __future__ import annotations

import tensorflow as tf

# The default algorithm draws different numbers under XLA than outside it; Philox does not.
_ALGORITHM = "philox"


def image_seeds(seed: int | tf.Tensor, start: int, count: int) -> tf.Tensor:
    """One seed per image, `[count, 2]` int32: `(seed, index)` for index = start, start + 1, ..."""
    index = tf.range(start, start + count, dtype=tf.int32)
    return tf.stack([tf.fill([count], tf.cast(seed, tf.int32)), index], axis=1)


def fold_in(seeds: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    """New seeds `[batch, 2]` for the `number`-th use of each seed."""
    number = tf.cast(number, tf.int32)

    def fold(seed: tf.Tensor) -> tf.Tensor:
        return tf.random.experimental.stateless_fold_in(seed, number, alg=_ALGORITHM)

    return tf.map_fn(fold, seeds, fn_output_signature=tf.TensorSpec([2], tf.int32))


def normal_per_image(
    seeds: tf.Tensor, shape: tuple[int, ...], dtype: tf.DType = tf.float32
) -> tf.Tensor:
    """Standard normal noise `[batch, *shape]`, row i from `seeds[i]` alone.

    Args:
      seeds: `[batch, 2]`, int32.
      shape: of one image.
      dtype: of the noise.
    """

    def draw(seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_normal(shape, seed, dtype=dtype, alg=_ALGORITHM)

    return tf.map_fn(draw, seeds, fn_output_signature=tf.TensorSpec(shape, dtype))
