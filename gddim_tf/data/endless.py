"""Batches without an end whose order is a function of their number, so that a run can go on."""

from __future__ import annotations

import tensorflow as tf


def endless_batches(
    pairs: tf.data.Dataset,
    count: int,
    batch_size: int,
    *,
    start: int,
    shuffle: bool,
    flip: bool,
    seed: int,
) -> tf.data.Dataset:
    """Shuffled passes over images in memory, one after another, from any batch on.

    Image i of the stream is number `i mod count` of a permutation that belongs to pass `i // count`
    alone, so that nothing has to be read to go on.

    Args:
      pairs: `count` pairs of uint8 image and label, which are kept in memory.
      count: of the images.
      batch_size: images per batch; batches run across the end of a pass.
      start: number of the first batch.
      shuffle: whether to permute each pass.
      flip: whether to mirror each image with probability 1/2.
      seed: of the permutations and the mirrors.

    Returns:
      Batches of pairs.
    """
    images, labels = next(iter(pairs.batch(count)))

    def batch(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = number % count
        if shuffle:
            # the operation takes three numbers for each index
            keys = (tf.fill([batch_size], tf.constant(seed, tf.int64)), number // count)
            seeds = tf.stack([*keys, tf.zeros_like(number)], axis=1)
            chosen = tf.raw_ops.RandomIndexShuffle(
                index=chosen, seed=seeds, max_index=tf.constant(count - 1, tf.int64), rounds=4
            )
        drawn = tf.gather(images, chosen)
        if flip:
            coins = tf.random.stateless_uniform(
                [batch_size, 1, 1, 1], tf.stack([seed, number[0]]), alg="philox"
            )
            drawn = tf.where(coins < 0.5, tf.reverse(drawn, axis=[-2]), drawn)
        return drawn, tf.gather(labels, chosen)

    numbers = tf.data.Dataset.counter(start * batch_size).batch(batch_size, drop_remainder=True)
    return numbers.map(batch, num_parallel_calls=tf.data.AUTOTUNE)
