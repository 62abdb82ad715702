import numpy as np
import pytest

from gddim_tf import data
from gddim_tf.evaluation import RandomFeatures, frechet_distance
from gddim_tf.evaluation.features import feature_extractor
from gddim_tf.evaluation.reference import quietly

FEATURES = RandomFeatures(width=4)


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 32, 3), (5, 40, 3), (2, 2, 1), (33, 17, 1)])
def test_any_size_and_colour(shape):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    features = FEATURES(images)
    assert features.shape == (3, FEATURES.dimension)
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(features, RandomFeatures(width=4)(images))
    if shape[-1] == 1:
        np.testing.assert_array_equal(features, FEATURES(images.repeat(3, axis=-1)))


def test_a_constant_image_has_its_colour_and_nothing_else():
    level = np.full((1, 16, 16, 1), 255, np.uint8)
    features = FEATURES(level)[0]
    colours = np.isclose(features, 1.0, atol=1e-6)
    assert colours.sum() == 3 * 4 * 3  # scales, cells, channels
    np.testing.assert_allclose(features[~colours], np.log(0.05), atol=1e-3)


def test_where_something_is_matters():
    image = np.zeros((1, 16, 16, 1), np.uint8)
    image[:, 2:5, 2:5] = 255
    assert np.abs(FEATURES(image) - FEATURES(image[:, ::-1])).max() > 0.01


def test_a_distance_grows_with_noise():
    images = next(iter(data.load("digits", batch_size=600, seed=1)))
    images = data.to_uint8(images).numpy()
    noise = np.random.default_rng(0).standard_normal((300, 8, 8, 1))
    distances = [
        quietly(
            frechet_distance,
            FEATURES(images[:300]),
            FEATURES(np.uint8(np.clip(images[300:] + sigma * noise, 0, 255))),
        )
        for sigma in (0, 16, 64)
    ]
    assert distances[0] < distances[1] < distances[2]


def test_its_name_says_that_it_is_not_inception_and_it_has_no_logits():
    extractor = feature_extractor("random")
    assert extractor.name == "random-convolutions-16"
    assert not hasattr(extractor, "logits")


def test_other_arrays_are_refused():
    with pytest.raises(TypeError, match="`images` must be uint8, received float32"):
        FEATURES(np.zeros((1, 8, 8, 1), np.float32))
    with pytest.raises(ValueError, match=r"must have shape .* received \(1, 8, 8, 2\)"):
        FEATURES(np.zeros((1, 8, 8, 2), np.uint8))
