import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.evaluation import FashionFeatures, fashion_classifier, feature_extractor
from gddim_tf.evaluation.fashion_classifier import (
    PACKAGED,
    fashion_accuracy,
    load_fashion_classifier,
    train_fashion_classifier,
    write_fashion_classifier,
)

CLOTHES = f"idx:{pathlib.Path(__file__).parents[1] / 'golden' / 'fashion_mnist'}"


def test_packaged_classifier_is_small_and_right():
    classifier = load_fashion_classifier()
    assert PACKAGED.stat().st_size < 1_000_000
    # 92.25 % of all 10,000 images, by the script that wrote it; these are 100 of them
    assert fashion_accuracy(classifier, "test", CLOTHES) >= 0.9


def test_features_belong_to_the_packaged_classifier():
    extractor = FashionFeatures()
    assert extractor.dimension == 64
    assert feature_extractor("fashion").name == extractor.name
    assert feature_extractor(f"fashion:{PACKAGED}").name == extractor.name
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
    logits = load_fashion_classifier()(images / np.float32(127.5) - 1)
    np.testing.assert_allclose(extractor.logits(images), logits, atol=1e-4)
    features = extractor(images)
    assert features.min() == 0.0 < features.max()
    with pytest.raises(ValueError, match=r"must have shape \(None, 28, 28, 1\) for fashion-"):
        extractor(images[:, :8, :8])


@pytest.mark.slow
def test_training_is_reproducible_leaves_the_global_seeds_alone_and_is_written(tmp_path):
    keras.utils.set_random_seed(3)
    weights, draw = train_fashion_classifier(CLOTHES).get_weights(), np.random.rand()
    keras.utils.set_random_seed(3)
    assert draw == np.random.rand()
    path = tmp_path / "new" / "clothes.keras"
    again = write_fashion_classifier(CLOTHES, path)
    # sums in another order, 24 steps later
    np.testing.assert_allclose(again.get_weights()[0], weights[0], rtol=1e-2, atol=1e-3)
    loaded = load_fashion_classifier(path)
    for first, second in zip(loaded.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert fashion_accuracy(loaded, "train", CLOTHES) > 0.3


def test_every_pass_shows_every_image_once():
    batches = list(fashion_classifier._shuffled_batches(300, 2, 7))
    assert [len(batch) for batch in batches] == [128] * 4
    for first, second in (batches[:2], batches[2:]):
        assert len(set(first) | set(second)) == 256
    assert not np.array_equal(batches[0], batches[2])


def test_half_of_the_images_are_mirrored():
    image = np.random.default_rng(0).normal(size=(200, 4, 4, 1)).astype(np.float32)
    changed = fashion_classifier._mirrored(tf.constant(image), tf.constant([0, 3])).numpy()
    mirrored = (changed == image[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (changed == image).all(axis=(1, 2, 3))).all()
    assert 70 < mirrored.sum() < 130


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(ValueError, match=r"other\.keras holds another model than the clothes"):
        load_fashion_classifier(path)
    path.write_bytes(PACKAGED.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"classifier .*other\.keras must be whole, received"):
        load_fashion_classifier(path)
    with pytest.raises(FileNotFoundError):
        load_fashion_classifier(tmp_path / "none.keras")
