import numpy as np
import pytest
from PIL import Image

from gddim_tf import evaluation
from gddim_tf.data.split import Split
from gddim_tf.evaluation.real_images import RealImages


class Colours:
    """A user's own extractor, without logits."""

    name, resize = "colours", "none"

    def __call__(self, images):
        return np.float32(images).mean(axis=(1, 2))


def test_the_class_seen_in_real_images_is_the_accuracy_of_the_classifier():
    images = RealImages(Split("digits", "test", 8), evaluation.DigitsFeatures())
    accuracy = evaluation.digits_accuracy(evaluation.load_digits_classifier())
    assert images.agreement == pytest.approx(accuracy)


def test_no_class_is_seen_without_logits_or_without_classes(tmp_path):
    assert RealImages(Split("digits", "test"), Colours()).agreement is None
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    grey = Split(f"folder:{tmp_path}", "train", 8)
    assert RealImages(grey, evaluation.DigitsFeatures()).agreement is None
