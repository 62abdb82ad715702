import numpy as np
import pytest

from gddim_tf.data import to_uint8
from gddim_tf.evaluation import dequantise
from gddim_tf.numerics.image_noise import image_seeds


def every_level(levels):
    stored = np.rint(np.arange(levels) * (255 / (levels - 1))).astype(np.uint8)
    return np.tile(stored, (8, 1))[..., None, None]


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_levels_fill_the_interval_without_overlap(levels):
    images = every_level(levels)
    x = dequantise(images, image_seeds(0, 0, 8), levels).numpy()[..., 0, 0]
    # floor gives the level back, and the intervals are all of [-1, 1)
    np.testing.assert_array_equal(
        np.floor((x + 1) * levels / 2), np.tile(np.arange(levels), (8, 1))
    )
    assert x.min() >= -1 and x.max() < 1
    part = (x + 1) * levels / 2 % 1
    assert abs(part.mean() - 0.5) < 5 / np.sqrt(12 * part.size)
    assert part.std() == pytest.approx(12**-0.5, abs=0.1)


def test_the_level_of_the_data_lies_in_its_interval():
    """A network is trained on `x / 127.5 - 1`, which the interval of the level contains."""
    for levels in (17, 256):
        images = every_level(levels)[0, :, 0, 0]
        level = np.arange(levels)
        clean = images / 127.5 - 1
        assert np.all(clean >= 2 * level / levels - 1 - 1 / 255)
        assert np.all(clean <= 2 * (level + 1) / levels - 1 + 1 / 255)
        np.testing.assert_array_equal(to_uint8(clean.astype(np.float32)), images)


def test_an_image_has_its_own_noise():
    images = np.zeros((5, 4, 4, 1), np.uint8)
    together = dequantise(images, image_seeds(3, 0, 5)).numpy()
    alone = dequantise(images[:1], image_seeds(3, 4, 1)).numpy()
    np.testing.assert_array_equal(together[4:], alone)
    assert np.abs(together[0] - together[1]).max() > 1e-3


def test_errors():
    images, seeds = np.full((1, 2, 2, 1), 5, np.uint8), image_seeds(0, 0, 1)
    with pytest.raises(ValueError, match="of 17 none is stored as 5"):
        dequantise(images, seeds, 17)
    with pytest.raises(ValueError, match=r"`levels` must be in \[2, 256\], received 300"):
        dequantise(images, seeds, 300)
    with pytest.raises(TypeError, match="`images` must be uint8, received float32"):
        dequantise(images.astype(np.float32), seeds)
