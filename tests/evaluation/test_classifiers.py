import pathlib

import keras
import numpy as np
import pytest

from gddim_tf.evaluation import FashionFeatures, feature_extractor
from gddim_tf.evaluation.classifiers import (
    digits_accuracy,
    fashion_accuracy,
    load_digits_classifier,
    load_fashion_classifier,
    packaged,
)
from tests.conftest import own_model

CLOTHES = f"idx:{pathlib.Path(__file__).parents[1] / 'golden' / 'fashion_mnist'}"
LOADERS = {"digits": load_digits_classifier, "fashion": load_fashion_classifier}


def test_packaged_classifier_of_digits_is_small_and_right():
    classifier = load_digits_classifier()
    assert packaged("digits").stat().st_size < 300_000
    assert classifier.get_layer("features").output.shape == (None, 64)
    assert digits_accuracy(classifier, "test") >= 0.97
    assert digits_accuracy(classifier, "train") >= 0.97


def test_packaged_classifier_of_clothes_is_small_and_right():
    classifier = load_fashion_classifier()
    assert packaged("fashion").stat().st_size < 1_000_000
    # 93.07 % of all 10,000 images, by the script that wrote it; these are 100 of them
    assert fashion_accuracy(classifier, "test", CLOTHES) >= 0.9


def test_features_belong_to_the_packaged_classifier():
    extractor = FashionFeatures()
    assert extractor.dimension == 64
    assert feature_extractor("fashion").name == extractor.name
    assert feature_extractor(f"fashion:{packaged('fashion')}").name == extractor.name
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
    logits = load_fashion_classifier()(images / np.float32(127.5) - 1)
    np.testing.assert_allclose(extractor.logits(images), logits, atol=1e-4)
    features = extractor(images)
    assert features.min() == 0.0 < features.max()
    with pytest.raises(ValueError, match=r"must have shape \(None, 28, 28, 1\) for fashion-"):
        extractor(images[:, :8, :8])


@pytest.mark.parametrize(("kind", "seen"), [("digits", "digits"), ("fashion", "clothes")])
def test_other_files_are_refused_and_left_alone(tmp_path, kind, seen):
    path, load = tmp_path / "other.keras", LOADERS[kind]
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    for model in (own_model(), keras.Sequential([keras.layers.Dense(2, name="features")])):
        model.save(tmp_path / "own.keras")
        with pytest.raises(ValueError, match=rf"own\.keras holds another model than the {seen}"):
            load(tmp_path / "own.keras")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"other\.keras holds another model than the {seen}"):
        load(path)
    assert path.read_bytes() == before
    for damaged in (packaged(kind).read_bytes()[:5000], b"", b"no archive"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"classifier .*other\.keras must be whole, received"):
            load(path)
        assert path.read_bytes() == damaged
    with pytest.raises(ValueError, match=r"`path` must end in .keras, received 'digits.h5'"):
        load("digits.h5")
    with pytest.raises(FileNotFoundError, match=rf"train_classifier.py {kind} writes one"):
        load(tmp_path / "none.keras")
