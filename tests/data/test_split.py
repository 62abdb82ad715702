import numpy as np
import pytest

from gddim_tf import data
from gddim_tf.data.split import Split


@pytest.fixture(scope="module")
def dataset():
    """Five images in an order that shuffling would change."""
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    data.add("five", (images, [4, 3, 2, 1, 0]))
    return "five", images


def test_every_image_comes_once_in_its_own_order(dataset):
    name, images = dataset
    split = Split(name, "train")
    assert split.count() == 5
    np.testing.assert_array_equal(split.pixels(), images)
    np.testing.assert_array_equal(split.labels(), [4, 3, 2, 1, 0])
    for both, one in zip(split.labelled(), (split.pixels(), split.labels()), strict=True):
        np.testing.assert_array_equal(both, one)


def test_batches_are_of_the_first_images(dataset):
    name, images = dataset
    batches = list(Split(name, "train").batches(2, labels=True, count=3))
    assert [len(pixels) for pixels, _ in batches] == [2, 1]
    np.testing.assert_array_equal(np.concatenate([pixels for pixels, _ in batches]), images[:3])
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in batches]), [4, 3, 2])
    assert all(labels is None for _, labels in Split(name, "train").batches(2))


def test_images_are_never_mirrored_and_have_the_size_that_is_asked_for():
    first = Split("photo_patches", "train[:6]", (16, 8))
    assert first.whole == "train" and first.count() == 6
    np.testing.assert_array_equal(first.pixels(), first.pixels())
    assert first.pixels().shape == (6, 16, 8, 3)


def test_what_is_not_on_disk_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GDDIM_TF_DATA_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="`gddim-tf prepare cifar10` puts it there"):
        Split("cifar10", "train").count()
