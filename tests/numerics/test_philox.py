"""Philox against the known answers of its authors and against TensorFlow's own."""

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.numerics.philox import philox

# Random123's kat_vectors: key, counter, and the four words of philox4x32-10.
KNOWN = [
    ("00000000 00000000", "00000000 " * 4, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff", "ffffffff " * 4, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
]


def words(text):
    return np.array([int(word, 16) for word in text.split()], np.uint32)


@pytest.mark.parametrize(("key", "counter", "answer"), KNOWN)
def test_known_answers(key, counter, answer):
    counters = tuple(tf.reshape(word, [1, 1]) for word in tf.constant(words(counter)))
    bits = philox(tf.constant(words(key))[None], counters)
    np.testing.assert_array_equal(bits[0, 0], words(answer))


def test_many_keys_give_what_tensorflow_gives_for_each():
    keys = np.random.default_rng(0).integers(-(2**31), 2**31, (5, 2)).astype(np.int32)
    zero = tf.zeros([1, 1], tf.int32)
    bits = philox(tf.constant(keys), (tf.range(7)[None], zero, zero, zero))
    for key, row in zip(keys, bits.numpy(), strict=True):
        # TensorFlow keeps key and counter as words of 64 bits
        expected = tf.raw_ops.StatelessRandomUniformFullIntV2(
            shape=[28],
            key=key.view(np.uint64),
            counter=np.zeros(2, np.uint64),
            dtype=tf.uint32,
            alg=1,
        )
        np.testing.assert_array_equal(row.ravel(), expected)


def test_the_same_bits_in_graph_and_xla():
    keys = tf.constant([[1, 2], [-3, 4]])
    counters = (tf.range(3)[None], *(tf.fill([1, 1], i) for i in (1, 0, 5)))
    expected = philox(keys, counters)
    for jit_compile in (False, True):
        compiled = tf.function(philox, jit_compile=jit_compile)
        np.testing.assert_array_equal(compiled(keys, counters), expected)
