import numpy as np
import pytest

from gddim_tf import evaluation
from gddim_tf.evaluation.label_agreement import label_agreement, real_label_agreement


class Brightness:
    """Takes the brightness of an image for its class, of three."""

    def logits(self, images):
        return np.eye(3, dtype=np.float32)[np.asarray(images)[:, 0, 0, 0]]


def test_the_share_of_images_with_their_label():
    images = np.array([0, 1, 2, 2, 1], np.uint8)[:, None, None, None]
    assert label_agreement(Brightness(), images, [0, 1, 2, 0, 0], 3) == pytest.approx(0.6)
    assert label_agreement(Brightness(), images, None, 3) is None
    assert label_agreement(Brightness(), images, [0] * 5, 10) is None  # of other classes
    assert label_agreement(lambda images: images, images, [0] * 5, 3) is None  # without logits


def test_that_of_real_images_is_the_accuracy_of_the_classifier():
    classifier = evaluation.load_digits_classifier()
    assert real_label_agreement(evaluation.DigitsFeatures(), "digits", "test", 8) == pytest.approx(
        evaluation.digits_accuracy(classifier)
    )


def test_images_without_classes_have_none(tmp_path):
    from PIL import Image

    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    assert real_label_agreement(Brightness(), f"folder:{tmp_path}", "train", 8) is None
