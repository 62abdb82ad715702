"""Group normalization against score_sde, Keras and NumPy."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf.networks import GroupNorm

GOLDEN = np.load(Path(__file__).parents[1] / "golden/network_layers.npz")


def build(groups, channels, **options):
    layer = GroupNorm(groups, **options)
    layer.build((None, 4, 4, channels))
    rng = np.random.default_rng(1)
    layer.scale.assign(1 + 0.3 * rng.standard_normal(channels))
    layer.bias.assign(0.2 * rng.standard_normal(channels))
    return layer


def reference(x, layer):
    """Float64, by the definition."""
    b, h, w, c = x.shape
    groups = np.asarray(x, np.float64).reshape(b, h * w, layer.groups, c // layer.groups)
    mean = groups.mean(axis=(1, 3), keepdims=True)
    var = groups.var(axis=(1, 3), keepdims=True)
    y = ((groups - mean) / np.sqrt(var + layer.epsilon)).reshape(x.shape)
    return y * layer.scale.numpy() + layer.bias.numpy()


@pytest.mark.parametrize(("case", "groups"), [("C48", 12), ("smallvar_C32", 8)])
def test_matches_score_sde(case, groups):
    """The case of small variance tells the epsilons 1e-6, 1e-5 and 1e-3 apart."""
    x = GOLDEN[f"groupnorm_{case}/in0"]
    layer = GroupNorm(groups)
    layer.build(x.shape)
    layer.scale.assign(GOLDEN[f"groupnorm_{case}/scale"].reshape(-1))
    layer.bias.assign(GOLDEN[f"groupnorm_{case}/bias"].reshape(-1))
    np.testing.assert_allclose(layer(x), GOLDEN[f"groupnorm_{case}/out"], atol=5e-6)


@settings(deadline=None, max_examples=25)
@given(
    groups=st.integers(1, 4),
    per_group=st.integers(1, 4),
    mean=st.floats(-3, 3),
    log_std=st.floats(-1, 2),
    seed=st.integers(0, 1000),
)
def test_matches_the_definition(groups, per_group, mean, log_std, seed):
    channels = groups * per_group
    x = np.random.default_rng(seed).standard_normal((2, 3, 5, channels)) * 10**log_std + mean
    layer = build(groups, channels)
    np.testing.assert_allclose(layer(x.astype("float32")), reference(x, layer), atol=2e-3)


def test_gradients_match_keras():
    ours = build(4, 8)
    theirs = keras.layers.GroupNormalization(4, epsilon=1e-6)
    theirs.build((None, 4, 4, 8))
    theirs.gamma.assign(ours.scale)
    theirs.beta.assign(ours.bias)
    x = tf.constant(np.random.default_rng(0).standard_normal((2, 4, 4, 8)), tf.float32)
    gradients = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(3.0 * layer(x)))
        gradients.append(tape.gradient(loss, [x, *layer.trainable_weights]))
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_statistics_are_float32_under_every_policy():
    """With bfloat16 sums, or as E[x^2] - E[x]^2, a variance of 1 at a mean of 300 is garbage."""
    x = 300.0 + np.random.default_rng(0).standard_normal((1, 32, 32, 4))
    x = tf.cast(x, tf.bfloat16)
    layer = build(1, 4, dtype="mixed_bfloat16")
    out = layer(x)
    assert out.dtype == tf.bfloat16
    expected = reference(np.asarray(tf.cast(x, tf.float64)), layer)
    np.testing.assert_allclose(tf.cast(out, tf.float32), expected, atol=0.05)
    assert layer.scale.dtype == "float32"


def test_a_constant_image_is_finite():
    """Only epsilon remains of the variance."""
    layer = build(2, 4)
    out = np.asarray(layer(tf.fill([1, 7, 7, 4], 1234.567)))
    assert np.isfinite(out).all()


def test_groups_must_divide_the_channels():
    with pytest.raises(ValueError, match=r"`groups` must divide the 10 channels .* received 4"):
        GroupNorm(4).build((None, 2, 2, 10))


def derived(x, scale, bias, layer):
    """The definition in operations whose gradients TensorFlow derives."""
    groups = tf.reshape(x, [len(x), -1, layer.groups, x.shape[-1] // layer.groups])
    mean, variance = tf.nn.moments(groups, axes=[1, 3], keepdims=True)
    normal = (groups - mean) / tf.sqrt(variance + layer.epsilon)
    return tf.reshape(normal, x.shape) * scale + bias


@pytest.mark.parametrize("sizes_known", [True, False])
def test_first_and_second_gradients_are_those_of_the_definition(sizes_known):
    layer, rng = build(3, 6), np.random.default_rng(2)
    x = tf.constant(rng.standard_normal((2, 3, 5, 6)) + 0.7, tf.float32)
    weight = tf.constant(rng.standard_normal(x.shape), tf.float32)
    watched = [layer.scale.value, layer.bias.value]

    def gradients(function, x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(weight * tf.sin(function(x)))
            first = inner.gradient(loss, [x, *watched])
            curvature = sum(tf.reduce_sum(tf.square(g)) for g in first)
        return [*first, *outer.gradient(curvature, [x, *watched])]

    spec = tf.TensorSpec(x.shape if sizes_known else [None, None, None, 6])
    ours = tf.function(lambda x: gradients(layer, x), input_signature=[spec])(x)
    wanted = gradients(lambda x: derived(x, *watched, layer), x)
    for one, other in zip(ours, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6 * np.abs(other).max())
