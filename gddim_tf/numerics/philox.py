"""Philox, the counter-based generator, for a batch of keys at once.

Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
TensorFlow's own takes one key per call, which for one key per image means a call per image. The
same integers come out in eager, graph and XLA, on any device.
"""

from __future__ import annotations

import tensorflow as tf

_ROUNDS = 10
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)


@tf.function(autograph=False, reduce_retracing=True)  # one call where it would be 200
def philox(keys: tf.Tensor, counters: tuple[tf.Tensor, ...]) -> tf.Tensor:
    """Random bits as a function of keys and counters.

    Args:
      keys: `[batch, 2]`, int32 or uint32.
      counters: four of them, int32 or uint32, each of a shape that broadcasts to `[batch, blocks]`.

    Returns:
      `[batch, blocks, 4]`, uint32.
    """
    keys = tf.bitcast(keys, tf.uint32)
    key_0, key_1 = keys[:, :1], keys[:, 1:]
    c_0, c_1, c_2, c_3 = (tf.bitcast(counter, tf.uint32) for counter in counters)
    for _ in range(_ROUNDS):
        high_0, low_0 = _product(_MULTIPLIERS[0], c_0)
        high_1, low_1 = _product(_MULTIPLIERS[1], c_2)
        c_0, c_1 = high_1 ^ c_1 ^ key_0, low_1
        c_2, c_3 = high_0 ^ c_3 ^ key_1, low_0
        key_0 += tf.constant(_WEYL[0], tf.uint32)
        key_1 += tf.constant(_WEYL[1], tf.uint32)
    shape = tf.broadcast_dynamic_shape(tf.shape(c_0), tf.shape(c_2))
    return tf.stack([tf.broadcast_to(word, shape) for word in (c_0, c_1, c_2, c_3)], axis=-1)


def _product(multiplier: int, word: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The high and low halves of a product of 32 by 32 bits."""
    product = tf.constant(multiplier, tf.uint64) * tf.cast(word, tf.uint64)
    high = tf.bitwise.right_shift(product, tf.constant(32, tf.uint64))
    return tf.cast(high, tf.uint32), tf.cast(product, tf.uint32)
