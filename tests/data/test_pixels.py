import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from gddim_tf.data import from_uint8, to_uint8
from gddim_tf.data.pixels import as_uint8, fit_to


def test_every_level_survives_the_round_trip():
    levels = np.arange(256, dtype=np.uint8)
    values = from_uint8(levels)
    assert values.dtype == tf.float32
    np.testing.assert_allclose(values, levels / 127.5 - 1, atol=1e-7)
    np.testing.assert_array_equal(to_uint8(values), levels)


@given(hnp.arrays(np.float64, st.integers(0, 20), elements=st.floats(-1e6, 1e6)))
def test_to_uint8_is_the_documented_formula(images):
    expected = np.rint(np.clip((images + 1) * 127.5, 0, 255))
    result = to_uint8(images)
    assert result.dtype == tf.uint8
    np.testing.assert_array_equal(result, expected)


def test_conversions_refuse_the_other_kind():
    with pytest.raises(TypeError, match=r"`images` must be floating point.*received uint8"):
        to_uint8(np.zeros(3, np.uint8))
    with pytest.raises(TypeError, match="`images` must be uint8, received float32"):
        from_uint8(np.zeros(3, np.float32))


@pytest.mark.parametrize(
    ("shape", "size"), [((40, 64, 3), 16), ((33, 20, 1), 12), ((15, 15, 3), 32)]
)
def test_fit_to_is_the_centre_crop_and_filter_of_pillow(shape, size):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    height, width, channels = shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    planes = [
        Image.fromarray(square[..., c]).resize((size, size), Image.Resampling.BILINEAR)
        for c in range(channels)
    ]
    result = fit_to(tf.constant(image), size, box=None)
    assert result.dtype == tf.uint8
    # Pillow rounds between its two passes.
    np.testing.assert_allclose(
        np.int32(result), np.stack([np.int32(plane) for plane in planes], axis=-1), atol=1
    )


def test_fit_to_keeps_an_image_that_fits():
    image = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fit_to(tf.constant(image), 9, box=None), image)


def test_floats_become_bytes_and_bytes_stay():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(as_uint8(levels), levels)
    np.testing.assert_array_equal(as_uint8(levels / 127.5 - 1), levels)
    np.testing.assert_array_equal(as_uint8(np.array([-3.0, 0.999, 7.0])), [0, 255, 255])
    np.testing.assert_array_equal(as_uint8(tf.constant([-1.0, 1.0], tf.bfloat16)), [0, 255])
