"""Resampling against the published implementation and against plain NumPy."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf.networks import Downsample, Upsample, downsample, fir_filter, upsample

GOLDEN = np.load(Path(__file__).parents[1] / "golden/network_layers.npz")
KERNELS = ["k1331", "k1253_asym", "k121", "k11"]


def taps(name):
    return GOLDEN[f"{name}/kernel"].tolist()


@pytest.mark.parametrize("name", KERNELS)
def test_filters_match_score_sde(name):
    x = tf.constant(GOLDEN["x"])
    np.testing.assert_allclose(upsample(x, taps(name)), GOLDEN[f"{name}/upsample_2d"], atol=1e-6)
    np.testing.assert_allclose(
        downsample(x, taps(name)), GOLDEN[f"{name}/downsample_2d"], atol=1e-6
    )


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(
    ("layer", "key"), [(Upsample, "upsample_conv_2d"), (Downsample, "conv_downsample_2d")]
)
def test_fused_convolutions_match_score_sde(name, layer, key):
    layer = layer(4, taps(name))
    layer.build(GOLDEN["x"].shape)
    layer.conv.kernel.assign(GOLDEN[f"{name}/w"])
    expected = GOLDEN[f"{name}/{key}"]
    np.testing.assert_allclose(layer(GOLDEN["x"]), expected, atol=2e-6 * np.abs(expected).max())


def test_without_filter_it_is_mean_and_repetition():
    x = tf.constant(GOLDEN["x"])
    np.testing.assert_allclose(upsample(x), GOLDEN["naive_upsample_2d"])
    np.testing.assert_allclose(downsample(x), GOLDEN["naive_downsample_2d"], rtol=1e-6)


@settings(deadline=None, max_examples=25)
@given(
    kernel=st.lists(st.floats(0.1, 3.0), min_size=2, max_size=5),
    size=st.integers(2, 5),
    seed=st.integers(0, 1000),
)
def test_filters_match_their_definition(kernel, size, seed):
    """Zero stuffing, padding and a sliding sum, written out in NumPy."""
    x = np.random.default_rng(seed).standard_normal((1, 2 * size, 2 * size, 2))
    n = len(kernel)
    outer = np.outer(kernel, kernel) / np.sum(np.outer(kernel, kernel))

    def convolve(values, before, after):
        values = np.pad(values, [(0, 0), (before, after), (before, after), (0, 0)])
        out = values.shape[1] - n + 1
        windows = [
            outer[n - 1 - i, n - 1 - j] * values[:, i : i + out, j : j + out]
            for i in range(n)
            for j in range(n)
        ]
        return sum(windows)

    stuffed = np.zeros((1, 4 * size, 4 * size, 2))
    stuffed[:, ::2, ::2] = x
    up = convolve(4 * stuffed, (n - 1) // 2 + 1, (n - 2) // 2)
    down = convolve(x, (n - 1) // 2, (n - 2) // 2)[:, ::2, ::2]
    x = tf.constant(x, tf.float32)
    np.testing.assert_allclose(upsample(x, kernel), up, atol=2e-5)
    np.testing.assert_allclose(downsample(x, kernel), down, atol=1e-5)


def test_the_strided_convolution_pads_below_and_right_only():
    layer = Downsample(1)
    layer.build((None, 4, 4, 1))
    layer.conv.kernel.assign(np.arange(9.0).reshape(3, 3, 1, 1))
    impulse = np.zeros((1, 4, 4, 1), "float32")
    impulse[0, 0, 0, 0] = 1.0
    out = np.asarray(layer(impulse))[0, :, :, 0]
    assert out.tolist() == [[0.0, 0.0], [0.0, 0.0]]  # the top left tap of the kernel
    impulse = np.roll(impulse, (3, 3), (1, 2))
    assert np.asarray(layer(impulse))[0, 1, 1, 0] == 4.0  # its centre: one zero row follows


@pytest.mark.parametrize("kernel", [None, (1, 3, 3, 1)])
def test_a_constant_image_stays_constant_inside(kernel):
    x = tf.ones([1, 8, 8, 1])
    np.testing.assert_allclose(upsample(x, kernel)[:, 2:-2, 2:-2], 1.0, rtol=1e-6)
    np.testing.assert_allclose(downsample(x, kernel)[:, 1:-1, 1:-1], 1.0, rtol=1e-6)


@pytest.mark.parametrize("kernel", [None, (1, 3, 3, 1)])
@pytest.mark.parametrize("function", [upsample, downsample])
def test_gradients_match_finite_differences(kernel, function):
    x = tf.constant(np.random.default_rng(0).standard_normal((1, 4, 4, 1)), tf.float32)
    theoretical, numerical = tf.test.compute_gradient(lambda v: function(v, kernel), [x])
    np.testing.assert_allclose(theoretical[0], numerical[0], atol=2e-3)


@pytest.mark.parametrize("kernel", [None, (1, 3, 3, 1)])
@pytest.mark.parametrize("filters", [None, 3])
@pytest.mark.parametrize(("layer", "factor"), [(Upsample, 2), (Downsample, 0.5)])
def test_shapes_policies_and_serialization(layer, factor, kernel, filters):
    built = layer(filters, kernel, dtype="mixed_bfloat16")
    built.build((None, 8, 8, 2))
    shape = (None, int(8 * factor), int(8 * factor), filters or 2)
    assert tuple(built.compute_output_shape((None, 8, 8, 2))) == shape
    function = tf.function(built, input_signature=[tf.TensorSpec([None, 8, 8, 2])])
    out = function(tf.ones([3, 8, 8, 2]))
    assert out.dtype == tf.bfloat16
    assert tuple(out.shape) == (3, *shape[1:])
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(built))
    assert (copy.filters, copy.kernel) == (built.filters, built.kernel)


def test_a_filter_of_one_tap_padded_by_nothing_is_the_identity():
    x = tf.constant(GOLDEN["x"])
    np.testing.assert_array_equal(fir_filter(x, [2.0], padding=(0, 0)), x)
