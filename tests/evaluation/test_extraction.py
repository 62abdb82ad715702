import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.evaluation import extract, extract_statistics

IMAGES = np.random.default_rng(0).integers(0, 256, (23, 4, 4, 3)).astype(np.uint8)
SCALED = (IMAGES / 127.5 - 1).astype(np.float32)
EXPECTED = IMAGES.reshape(23, -1).astype(np.float64)[:, :7]


class Pixels:
    """The first pixels as features; remembers the batches it was given."""

    def __init__(self):
        self.batches = []

    def __call__(self, images):
        assert images.dtype == np.uint8
        self.batches.append(len(images))
        return images.reshape(len(images), -1).astype(np.float32)[:, :7]


def labelled(images):
    return tf.data.Dataset.from_tensor_slices((images, np.zeros(len(images), np.int32)))


@pytest.mark.parametrize(
    ("images", "batches"),
    [
        (IMAGES, [10, 10, 3]),
        (SCALED, [10, 10, 3]),
        (tf.constant(SCALED), [10, 10, 3]),
        (tf.data.Dataset.from_tensor_slices(SCALED), [10, 10, 3]),
        (labelled(SCALED), [10, 10, 3]),
        (labelled(SCALED).batch(8), [8, 8, 7]),
        (labelled(IMAGES).batch(8).filter(lambda images, _: True), [8, 8, 7]),
    ],
)
def test_every_kind_of_images_gives_the_same_activations(images, batches):
    pixels = Pixels()
    np.testing.assert_array_equal(extract(pixels, images, 10, progress=False), EXPECTED)
    assert pixels.batches == batches
    statistics = extract_statistics(pixels, images, 10, progress=False)
    assert statistics.count == 23
    np.testing.assert_allclose(statistics.mean, EXPECTED.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics.covariance, np.cov(EXPECTED, rowvar=False), rtol=1e-10)


def test_progress_counts_batches(capsys):
    extract(Pixels(), labelled(IMAGES).batch(6), progress=True)
    assert "features: 100%" in capsys.readouterr().err
    extract(Pixels(), IMAGES, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("function", [extract, extract_statistics])
@pytest.mark.parametrize(
    ("images", "batch_size", "message"),
    [
        (labelled(SCALED).batch(5).repeat(), 5, "finite dataset"),
        (IMAGES[:0], 5, "at least one image"),
        (labelled(SCALED).take(0), 5, "at least one image"),
        (np.where(SCALED > 0.9, np.nan, SCALED), 5, "`images` must be finite"),
        (IMAGES, 0, "`batch_size` must be at least 1, received 0"),
    ],
)
def test_what_cannot_be_extracted_is_refused(function, images, batch_size, message):
    with pytest.raises(ValueError, match=message):
        function(Pixels(), images, batch_size, progress=False)
