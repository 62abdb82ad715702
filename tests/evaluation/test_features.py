import hashlib

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import data
from gddim_tf.evaluation import (
    DigitsFeatures,
    InceptionFeatures,
    digits_accuracy,
    feature_extractor,
    features,
    load_digits_classifier,
)
from gddim_tf.evaluation.classifiers import packaged

WEIGHTS = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
SIDE = 299


class PooledColours(tf.Module):
    """Answers as Inception does: pooled features of four ranks, and logits."""

    def __init__(self, weights):
        super().__init__()
        self.weights = tf.Variable(weights)

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32)])
    def __call__(self, images):
        pooled = tf.reduce_mean(images, axis=[1, 2], keepdims=True)
        corner = images[:, 1, 1, :2]
        return {"pool_3": pooled @ self.weights, "logits": corner}


@pytest.fixture(scope="module")
def inception_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inception")
    tf.saved_model.save(PooledColours(WEIGHTS), str(folder))
    return folder


@pytest.fixture(scope="module")
def inception(inception_folder):
    return InceptionFeatures(inception_folder)


def random_images(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def legacy_bilinear(images, side):
    """TensorFlow 1's filter: output pixel i looks at i * (input / output), without centres."""
    for axis in (1, 2):
        size = images.shape[axis]
        position = np.arange(side) * (size / side)
        lower = np.floor(position).astype(int)
        upper = np.minimum(lower + 1, size - 1)
        weight = (position - lower).reshape([-1 if a == axis else 1 for a in range(4)])
        images = images.take(lower, axis) * (1 - weight) + images.take(upper, axis) * weight
    return images


def test_inception_features_of_resized_images(inception):
    images = random_images(3, 20, 32, 3)
    resized = legacy_bilinear(images / 127.5 - 1, SIDE)
    assert inception.dimension == 5
    assert inception.resize == "bilinear-tf1-299"
    activations = inception(images)
    assert activations.dtype == np.float32
    np.testing.assert_allclose(activations, resized.mean(axis=(1, 2)) @ WEIGHTS, atol=1e-5)
    np.testing.assert_allclose(inception.logits(images), resized[:, 1, 1, :2], atol=1e-5)


def test_grey_images_become_three_equal_channels(inception):
    grey = random_images(2, 8, 8, 1)
    np.testing.assert_array_equal(inception(grey), inception(np.repeat(grey, 3, axis=-1)))


def test_name_tells_weights_apart(inception, inception_folder, tmp_path):
    assert inception.name.startswith("inception-")
    assert InceptionFeatures(str(inception_folder)).name == inception.name
    tf.saved_model.save(PooledColours(WEIGHTS + 1e-6), str(tmp_path))
    assert InceptionFeatures(tmp_path).name != inception.name


def test_hub_network_is_taken_from_the_cache(inception, inception_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    key = hashlib.sha1(features.INCEPTION_HANDLE.encode()).hexdigest()
    (tmp_path / key).symlink_to(inception_folder)
    assert InceptionFeatures().name == inception.name


def test_unreachable_hub_gives_one_clear_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(features, "INCEPTION_HANDLE", "http://127.0.0.1:9/inception/1")
    with pytest.raises(ConnectionError, match=r"^Inception cannot be fetched from http://127.*"):
        InceptionFeatures()


def test_folders_of_something_else_are_refused(tmp_path):
    with pytest.raises(ValueError, match="`path` must be a SavedModel folder"):
        InceptionFeatures(tmp_path)
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(ValueError, match="`path` must be a SavedModel that is called"):
        InceptionFeatures(tmp_path)


class BareTensor(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32)])
    def __call__(self, images):
        return {"features": images[:, 0, 0]}


def test_network_without_the_named_outputs_is_refused(tmp_path):
    tf.saved_model.save(BareTensor(), str(tmp_path))
    with pytest.raises(ValueError, match="returns `pool_3` and `logits`"):
        InceptionFeatures(tmp_path)


def test_digits_features_belong_to_the_packaged_classifier():
    extractor, classifier = DigitsFeatures(), load_digits_classifier()
    images, labels = next(data.load("digits", "test", 297, labels=True).as_numpy_iterator())
    pixels = data.to_uint8(images).numpy()
    activations, logits = extractor(pixels), extractor.logits(pixels)
    assert (extractor.dimension, extractor.resize) == (64, "none")
    assert activations.shape == (297, 64)
    assert activations.min() == 0.0
    kernel, bias = classifier.get_layer("logits").get_weights()
    np.testing.assert_allclose(activations @ kernel + bias, logits, rtol=1e-3, atol=1e-3)
    assert np.mean(logits.argmax(axis=1) == labels) == digits_accuracy(classifier)


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (np.zeros((2, 8, 8, 1)), TypeError, "`images` must be uint8, received float64"),
        (random_images(2, 8, 8, 3), ValueError, r"\(None, 8, 8, 1\) for digits-.*\(2, 8, 8, 3\)"),
        (random_images(8, 8, 1), ValueError, "`images` must have shape"),
    ],
)
def test_digits_features_refuse_other_images(images, error, message):
    with pytest.raises(error, match=message):
        DigitsFeatures()(images)


def test_inception_features_refuse_other_channels(inception):
    with pytest.raises(ValueError, match=r"`images` must have shape .*3.* or .*1.*received"):
        inception(random_images(2, 8, 8, 2))


def test_extractors_by_name(inception, inception_folder):
    assert feature_extractor("digits").name == DigitsFeatures().name
    assert feature_extractor(f"digits:{packaged('digits')}").name == DigitsFeatures().name
    assert feature_extractor(f"inception:{inception_folder}").name == inception.name
    with pytest.raises(ValueError, match=r"must be 'digits', 'fashion' or 'inception'.*'vgg:x'"):
        feature_extractor("vgg:x")
