"""Convolutions as volumes of depth 1, for which oneDNN orders the weights of a single image too."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.networks.convolution import conv, ordered_weights

SIZE, CHANNELS = 16, 128


def made(**options):
    layer = conv(CHANNELS, 3, bias_initializer="ones", **options)
    layer.build((None, SIZE, SIZE, CHANNELS))
    return layer


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_the_sums_are_the_same(strides, padding):
    layer = made(strides=strides, padding=padding)
    images = np.random.default_rng(0).standard_normal([1, SIZE, SIZE, CHANNELS])
    x = tf.constant(images, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        expected = layer(x)
        with ordered_weights():
            found = layer(x)
        sums = tf.reduce_sum(expected**2), tf.reduce_sum(found**2)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for source in (x, *layer.trainable_weights):
        expected, found = (tape.gradient(total, source) for total in sums)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def kinds(layer, size=SIZE, dtype=tf.float32, scope=ordered_weights):
    with scope():
        graph = tf.function(layer, autograph=False).get_concrete_function(
            tf.TensorSpec([None, size, size, CHANNELS], dtype)
        )
    return {operation.type for operation in graph.graph.get_operations()} & {"Conv2D", "Conv3D"}


def test_only_large_ones_in_float32_are_volumes_and_only_in_the_scope():
    assert kinds(made()) == {"Conv3D"}
    assert kinds(made(), scope=contextlib.nullcontext) == {"Conv2D"}
    assert kinds(made(), size=SIZE - 2) == {"Conv2D"}
    assert kinds(made(), size=None) == {"Conv2D"}
    assert kinds(made(dtype="mixed_bfloat16"), dtype=tf.bfloat16) == {"Conv2D"}


def test_the_scope_ends_with_an_error_too():
    with pytest.raises(KeyError), ordered_weights():
        raise KeyError
    assert kinds(made(), scope=contextlib.nullcontext) == {"Conv2D"}
