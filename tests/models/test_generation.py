import io

import numpy as np
import pytest

from gddim_tf.data.pixels import as_uint8
from gddim_tf.models.generation import Job, generate
from gddim_tf.samplers import DDIM
from tests.conftest import own_model


@pytest.fixture(scope="module")
def model():
    return own_model()


@pytest.fixture(scope="module")
def expected(model):
    return as_uint8(model.sample(1100, DDIM(), 1, seed=3))


def made(model, count, folder=None, batch_size=500):
    job = Job(DDIM(), 1, count, seed=3)
    return generate(model, job, folder, batch_size=batch_size, progress=False)


def starts(folder):
    return sorted(path.stem for path in folder.iterdir())


def assert_same(images, expected):
    assert images.shape == expected.shape
    assert np.abs(images.astype(int) - expected).max() <= 1


def test_images_are_kept_and_more_are_added(model, expected, tmp_path):
    few = made(model, 20, tmp_path)
    assert starts(tmp_path) == ["000000"]
    first = (tmp_path / "000000.npz").stat().st_mtime_ns
    more = made(model, 1100, tmp_path)
    assert starts(tmp_path) == ["000000", "000020", "000520", "001020"]
    assert (tmp_path / "000000.npz").stat().st_mtime_ns == first
    assert_same(more.images, expected)
    np.testing.assert_array_equal(more.images[:20], few.images)
    assert more.seconds > few.seconds
    again = made(model, 1100, tmp_path)
    assert again.seconds == more.seconds
    np.testing.assert_array_equal(again.images, more.images)
    # of a file that is not wanted whole, the share of its time
    with np.load(tmp_path / "000020.npz") as kept:
        part = few.seconds + float(kept["seconds"]) * 80 / 500
    fewer = made(model, 100, tmp_path)
    np.testing.assert_array_equal(fewer.images, more.images[:100])
    assert fewer.seconds == pytest.approx(part)


def other_pixels(raw):
    with np.load(io.BytesIO(raw)) as kept:
        changed = {**kept, "images": 255 - kept["images"]}
    np.savez_compressed(file := io.BytesIO(), **changed)
    return file.getvalue()


@pytest.mark.parametrize(
    "damage", [lambda raw: b"", lambda raw: raw[:300], lambda raw: b"no zip", other_pixels]
)
def test_a_damaged_file_in_the_middle_is_made_again(model, expected, tmp_path, damage):
    made(model, 1100, tmp_path)
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    path = tmp_path / "000500.npz"
    path.write_bytes(damage(files[path]))
    with pytest.warns(UserWarning, match=r"000500\.npz is damaged and made again"):
        assert_same(made(model, 1100, tmp_path).images, expected)
    for other in set(files) - {path}:
        assert other.read_bytes() == files[other]
    with np.load(path) as kept:
        assert_same(kept["images"], expected[500:1000])


def test_a_larger_batch_is_not_cut(model, expected, tmp_path):
    assert_same(made(model, 1100, tmp_path, batch_size=800).images, expected)
    assert starts(tmp_path) == ["000000", "000800"]


def test_nothing_is_kept_without_a_folder(model, expected):
    assert_same(made(model, 30).images, expected[:30])


def test_labels_follow_the_images(conditional_model, tmp_path):
    labels = np.arange(6) % 10
    generate(conditional_model, Job(DDIM(), 1, 2, seed=1), tmp_path, progress=False)
    images = generate(conditional_model, Job(DDIM(), 1, 6, seed=1), tmp_path, progress=False).images
    assert_same(images, as_uint8(conditional_model.sample(6, DDIM(), 1, seed=1, labels=labels)))
