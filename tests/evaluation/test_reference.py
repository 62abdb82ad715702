import numpy as np
import pytest
from PIL import Image

from gddim_tf import data, evaluation
from gddim_tf.evaluation.images import as_uint8
from gddim_tf.evaluation.reference import Reference, quietly
from gddim_tf.evaluation.statistics import ActivationStatistics


@pytest.fixture(scope="module")
def extractor():
    return evaluation.DigitsFeatures()


@pytest.fixture(scope="module")
def reference(extractor):
    return Reference("digits", extractor, 8)


def digits(split):
    batches = data.load("digits", split, batch_size=500, shuffle=False).as_numpy_iterator()
    return np.concatenate([as_uint8(batch) for batch in batches])


def test_distances_are_those_of_the_activations(reference, extractor):
    train, test = extractor(digits("train")), extractor(digits("test"))
    expected = quietly(evaluation.frechet_distance, train, test)
    assert reference.floor == pytest.approx(expected, rel=1e-9)
    fake = 255 - digits("test")[:60]
    measured = reference.measure(fake)
    expected = quietly(evaluation.frechet_distance, train, extractor(fake))
    assert measured["frechet"] == pytest.approx(expected, rel=1e-6)
    assert measured["kernel"] == evaluation.kernel_distance(train, extractor(fake))
    # the splits have equal shares of the classes, so they differ by less than independent draws
    assert 0 < reference.floor < reference.chance(297)


def test_copies_of_training_images_are_seen(reference):
    assert reference.memorisation(digits("train")[:50]).median_ratio == 0
    assert reference.memorisation(digits("test")).median_ratio == pytest.approx(1)


def test_the_splits_may_be_exchanged(reference, extractor):
    other = Reference("digits", extractor, 8, split="test")
    assert other.held_out == "train"
    assert other.floor == pytest.approx(reference.floor)
    np.testing.assert_array_equal(other.training, reference.training)
    np.testing.assert_array_equal(other.unseen, reference.unseen)


def test_statistics_are_kept_and_used(tmp_path, extractor, reference):
    first = Reference("digits", extractor, 8, cache=tmp_path)
    (path,) = tmp_path.glob("*.npz")
    other = ActivationStatistics(64)
    other.update(np.random.default_rng(0).standard_normal((1500, 64)))
    other.save(path, ActivationStatistics.load(path).provenance)
    # what the file says is believed, so the distance is now to the noise
    again = Reference("digits", extractor, 8, cache=tmp_path)
    fake = digits("test")
    assert first.measure(fake)["frechet"] == pytest.approx(reference.floor)
    assert again.measure(fake)["frechet"] > 5 * reference.floor
    path.rename(tmp_path / path.name.replace("train", "test"))
    with pytest.raises(ValueError, match="holds other statistics: `split` is 'train'"):
        Reference("digits", extractor, 8, split="test", cache=tmp_path)


class Colours:
    """A user's own extractor."""

    name, resize, dimension = "colours", "none", 3

    def __call__(self, images):
        return np.float32(images).mean(axis=(1, 2))


def test_a_folder_has_no_floor(tmp_path):
    for index in range(4):
        pixels = np.random.default_rng(index).integers(0, 255, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    reference = Reference(f"folder:{tmp_path}", Colours(), 8)
    assert reference.floor is None
    assert reference.memorisation(digits("test")) is None
    assert "real against real" not in reference.settings()
