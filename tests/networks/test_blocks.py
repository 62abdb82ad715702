"""Blocks against NumPy and their own promises."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.networks import Attention, Combine, ResidualBlock

GOLDEN = np.load(Path(__file__).parents[1] / "golden/network_layers.npz")
RNG = np.random.default_rng(0)


def golden(case):
    return {k.removeprefix(f"{case}/"): GOLDEN[k] for k in GOLDEN.files if k.startswith(f"{case}/")}


def randomize(layer):
    for weight in layer.weights:
        weight.assign(weight + 0.3 * RNG.standard_normal(weight.shape))


@pytest.mark.parametrize("rescale", [True, False])
def test_a_new_block_is_the_identity(rescale):
    """The last convolution starts at (almost) zero, so only the shortcut remains."""
    block = ResidualBlock(8, (2, 2), rescale=rescale)
    x, temb = tf.random.normal([2, 4, 4, 8]), tf.random.normal([2, 16])
    out = block(x, temb)
    np.testing.assert_allclose(out, x / np.sqrt(2.0) if rescale else x, atol=1e-3)


@pytest.mark.parametrize("resample", [None, "down", "up"])
@pytest.mark.parametrize("filters", [8, 12])
def test_the_shortcut_exists_only_when_it_is_needed(resample, filters):
    block = ResidualBlock(filters, (2, 2), resample=resample)
    out = block(tf.zeros([1, 4, 4, 8]), tf.zeros([1, 16]))
    assert (block.shortcut is not None) == (resample is not None or filters != 8)
    size = {"down": 2, None: 4, "up": 8}[resample]
    assert tuple(out.shape) == (1, size, size, filters)
    assert block.compute_output_shape((1, 4, 4, 8), (1, 16)) == (1, size, size, filters)


def test_the_time_embedding_reaches_every_pixel_alike():
    """A black image has no structure that the shift per channel could meet."""
    block = ResidualBlock(4, (2, 2))
    x = tf.zeros([1, 6, 6, 4])
    block(x, tf.zeros([1, 6]))
    randomize(block)
    one, two = (np.asarray(block(x, tf.fill([1, 6], value))) for value in (0.0, 1.0))
    assert np.abs(one - two).max() > 1e-2
    inside = one[0, 2:-2, 2:-2].reshape(-1, 4)
    np.testing.assert_allclose(inside, np.broadcast_to(inside[0], inside.shape), atol=1e-5)


def test_dropout_acts_in_training_only():
    block = ResidualBlock(8, (2, 2), dropout=0.5)
    x, temb = tf.random.normal([2, 4, 4, 8]), tf.random.normal([2, 16])
    block(x, temb)
    randomize(block)
    np.testing.assert_array_equal(block(x, temb), block(x, temb, training=False))
    assert np.abs(block(x, temb, training=True) - block(x, temb)).max() > 0.01


def attention_reference(x, layer):
    """Single-head attention in float64."""
    b, h, w, c = x.shape
    tokens = np.asarray(layer.norm(x), np.float64).reshape(b, h * w, c)
    q, k, v = (
        tokens @ part.kernel.numpy().astype("float64") + part.bias.numpy()
        for part in (layer.query, layer.key, layer.value)
    )
    logits = q @ k.transpose(0, 2, 1) / np.sqrt(c)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    out = weights @ v @ layer.proj.kernel.numpy() + layer.proj.bias.numpy()
    return out.reshape(x.shape)


@pytest.mark.parametrize("rescale", [True, False])
def test_attention_matches_its_definition(rescale):
    x = RNG.standard_normal((2, 3, 5, 8)).astype("float32")
    layer = Attention(2, rescale=rescale)
    layer(x)
    randomize(layer)
    expected = (x + attention_reference(x, layer)) / (np.sqrt(2.0) if rescale else 1.0)
    np.testing.assert_allclose(layer(x), expected, atol=2e-5)


def test_attention_softmax_is_float32_under_mixed_precision():
    """Logits near 100 are 0.5 apart in bfloat16, which would make the weights wrong by 60 %."""
    x = RNG.standard_normal((1, 4, 4, 8)).astype("float32")
    layer = Attention(1, dtype="mixed_bfloat16")
    layer(x)
    for part in (layer.query, layer.key):
        part.kernel.assign(8.0 * np.eye(8))
    layer.value.kernel.assign(np.eye(8))
    layer.proj.kernel.assign(np.eye(8))
    expected = x + attention_reference(x, layer)
    assert np.abs(np.asarray(tf.cast(layer(x), tf.float32)) - expected).max() < 0.1


@pytest.mark.parametrize("method", ["sum", "cat"])
def test_combine_matches_score_sde(method):
    case = golden(f"combine_{method}")
    layer = Combine(method)
    layer.build(case["in0"].shape, case["in1"].shape)
    layer.conv.kernel.assign(next(v for k, v in case.items() if k.endswith("kernel")))
    layer.conv.bias.assign(next(v for k, v in case.items() if k.endswith("bias")))
    out = layer(case["in0"], case["in1"])
    np.testing.assert_allclose(out, case["out"], atol=1e-5)
    assert tuple(out.shape) == layer.compute_output_shape(case["in0"].shape, case["in1"].shape)


@pytest.mark.parametrize(
    "layer",
    [
        ResidualBlock(8, (2, 4), resample="up", kernel=(1, 2, 1), dropout=0.1, rescale=True),
        Attention(4, rescale=True),
        Combine("cat"),
    ],
)
def test_serialization(layer):
    config = keras.saving.serialize_keras_object(layer)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == layer.get_config()
