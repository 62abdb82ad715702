"""Time embeddings against score_sde and the formulas."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.networks import FourierEmbedding, positional_embedding

GOLDEN = np.load(Path(__file__).parents[1] / "golden/network_layers.npz")


@pytest.mark.parametrize("width", [15, 16, 128])
def test_positional_matches_score_sde(width):
    """Tolerance: one unit in the last place of a frequency, times a label of 999."""
    labels = tf.constant(GOLDEN["labels_t999"], tf.float32)
    golden = GOLDEN[f"positional_dim{width}"]
    np.testing.assert_allclose(positional_embedding(labels, width), golden, atol=1e-4)


def test_positional_matches_the_formula():
    labels = np.array([0.0, 1.0, 37.5])
    frequencies = 10000.0 ** (-np.arange(4) / 3)
    angles = labels[:, None] * frequencies
    expected = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    out = positional_embedding(tf.constant(labels, tf.float32), 8)
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_an_odd_width_ends_with_zero():
    assert np.all(np.asarray(positional_embedding(tf.constant([5.0]), 9))[:, -1] == 0)


def test_too_narrow_an_embedding_is_refused():
    with pytest.raises(ValueError, match="`width` must be at least 4, received 3"):
        positional_embedding(tf.constant([5.0]), 3)


@pytest.mark.parametrize("log", [True, False])
def test_fourier_matches_the_formula(log):
    layer = FourierEmbedding(6, scale=2.0, log=log)
    labels = np.array([0.01, 1.0, 900.0 if log else 3.0], "float32")
    out = layer(labels)
    positions = np.log(labels.astype("float64")) if log else labels
    angles = 2 * np.pi * positions[:, None] * layer.frequencies.numpy()
    expected = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    np.testing.assert_allclose(out, expected, atol=5e-5)
    assert out.shape == layer.compute_output_shape((3,))


def test_fourier_matches_score_sde():
    logs = GOLDEN["fourier_scale16/in0"]
    (name,) = [k for k in GOLDEN.files if k.startswith("fourier_scale16") and k.endswith("W")]
    layer = FourierEmbedding(len(GOLDEN[name]), log=False)
    layer.build((None,))
    layer.frequencies.assign(GOLDEN[name])
    np.testing.assert_allclose(layer(logs), GOLDEN["fourier_scale16/out"], atol=1e-4)


def test_frequencies_have_the_scale_and_are_never_trained():
    layer = FourierEmbedding(4096, scale=16.0)
    layer.build((None,))
    assert not layer.trainable_weights
    assert np.std(layer.frequencies.numpy()) == pytest.approx(16.0, rel=0.1)


def test_fourier_is_float32_under_every_policy():
    """In bfloat16 a label of 997 would become 996."""
    layer = FourierEmbedding(4, dtype="mixed_bfloat16")
    out = layer(tf.constant([997.0]))
    assert out.dtype == tf.float32
