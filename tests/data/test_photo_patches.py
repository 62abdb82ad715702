import numpy as np
import pytest
import sklearn.datasets
import sklearn.utils

from gddim_tf import data
from gddim_tf.data.photo_patches import TEST, TRAIN


@pytest.fixture(scope="module")
def photographs():
    return sklearn.datasets.load_sample_images().images


@pytest.mark.parametrize(("split", "lattice"), [("train", TRAIN), ("test", TEST)])
def test_patches_are_the_crops_of_the_lattice(data_dir, photographs, split, lattice):
    pairs = data.load("photo_patches", split, 500, labels=True, shuffle=False, data_dir=data_dir)
    images, labels = zip(*pairs.as_numpy_iterator(), strict=True)
    images, labels = data.to_uint8(np.concatenate(images)).numpy(), np.concatenate(labels)
    corners = list(lattice.corners(height=427))
    assert len(images) == 2 * len(corners) == data.info("photo_patches").splits[split]
    np.testing.assert_array_equal(labels, np.arange(len(images)) % 2)
    for index in range(0, len(images), 37):
        top, left = corners[index // 2]
        np.testing.assert_array_equal(
            images[index], photographs[index % 2][top : top + 32, left : left + 32]
        )


def test_areas_cover_the_photographs_and_share_no_pixel(photographs):
    covered = {}
    for name, lattice in (("train", TRAIN), ("test", TEST)):
        corners = list(lattice.corners(height=427))
        assert len(set(corners)) == len(corners)
        covered[name] = np.zeros(photographs[0].shape[:2], bool)
        for top, left in corners:
            covered[name][top : top + 32, left : left + 32] = True
    assert not (covered["train"] & covered["test"]).any()
    assert (covered["train"] | covered["test"]).all()


def test_altered_photograph_is_refused(monkeypatch, tmp_path, photographs):
    path = tmp_path / "china.jpg"
    path.write_bytes(b"another photograph")
    bunch = sklearn.utils.Bunch(images=photographs, filenames=[str(path)])
    monkeypatch.setattr(sklearn.datasets, "load_sample_images", lambda: bunch)
    with pytest.raises(ValueError, match=r"china\.jpg must have the SHA-256"):
        data.prepare("photo_patches", tmp_path)
