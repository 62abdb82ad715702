"""Attention with learned vectors, against sums written out."""

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.networks import AttentionArchitecture, AttentionUNet
from gddim_tf.networks.pixel_attention import full_attention, linear_attention, rms_norm

HEADS, WIDTH, PIXELS = 2, 3, (2, 5)


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    qkv = rng.standard_normal((3, 1, *PIXELS, HEADS * WIDTH))
    return qkv, rng.standard_normal((2, HEADS, 4, WIDTH))


def softmax(x, axis):
    x = np.exp(x - x.max(axis, keepdims=True))
    return x / x.sum(axis, keepdims=True)


@pytest.mark.parametrize("kind", ["full", "linear"])
def test_each_head_by_itself(kind):
    qkv, memory = inputs()
    attention = full_attention if kind == "full" else linear_attention
    found = attention(*map(tf.constant, qkv), tf.constant(memory), HEADS)
    for head in range(HEADS):
        part = slice(head * WIDTH, (head + 1) * WIDTH)
        query, key, value = (x[0].reshape(-1, HEADS * WIDTH)[:, part] for x in qkv)
        key, value = (np.concatenate([memory[i, head], x]) for i, x in enumerate((key, value)))
        if kind == "full":
            expected = softmax(query @ key.T / WIDTH**0.5, 1) @ value
        else:
            expected = softmax(query, 1) @ (softmax(key, 0).T @ value) / WIDTH**0.5
        np.testing.assert_allclose(found[0, ..., part], expected.reshape(*PIXELS, WIDTH))


def test_the_norm_of_a_pixel():
    x = np.random.default_rng(0).standard_normal((1, 2, 2, 5))
    found = rms_norm(tf.constant(x), tf.constant(np.arange(1.0, 6.0)))
    expected = x / np.sqrt((x**2).mean(-1, keepdims=True)) * np.arange(1, 6)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.all(np.isfinite(rms_norm(tf.zeros([1, 1, 1, 3]), tf.ones([3]))))


def test_what_an_architecture_must_be():
    fine = {
        **{"image_size": 8, "channels": 1, "base_channels": 4, "widths": (4, 4, 8)},
        **{"full_attention": (False, True), "heads": (2, 2), "head_channels": (4, 4)},
    }
    for changed, message in (
        ({"heads": (2,)}, r"`heads` must have one value for each of 2 levels, received \(2,\)"),
        ({"image_size": 9}, "`image_size` must be divisible by 2 for 2 levels, received 9"),
        ({"widths": (4, 0, 8)}, "every width must be positive"),
    ):
        with pytest.raises(ValueError, match=message):
            AttentionArchitecture.from_options({**fine, **changed})
    with pytest.raises(TypeError, match=r"unknown options \['depth'\]"):
        AttentionArchitecture.from_options({**fine, "depth": 3})
    network = AttentionUNet(**fine)
    again = AttentionUNet.from_config(network.get_config())
    assert again.architecture == network.architecture
    with pytest.raises(ValueError, match=r"`x` must have shape \(None, 8, 8, 1\)"):
        network(tf.zeros([1, 4, 4, 1]), tf.zeros([1]))
    with pytest.raises(ValueError, match="`labels` need a network with `num_classes` > 0"):
        network(tf.zeros([1, 8, 8, 1]), tf.zeros([1]), tf.zeros([1], tf.int32))
