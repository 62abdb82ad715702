import gzip
import os
import pathlib
import shutil
import struct

import numpy as np
import pytest

from gddim_tf import data
from gddim_tf.data.idx_source import FASHION_MNIST_CLASSES

CLOTHES = pathlib.Path(__file__).parents[1] / "golden" / "fashion_mnist"
RNG = np.random.default_rng(0)


def write(path, array):
    """An IDX file, gzipped if the name says so."""
    content = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    content += array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return array


def write_split(folder, split="train", count=7, shape=(4, 4), prefix="", ending="-ubyte"):
    images = RNG.integers(0, 256, (count, *shape))
    labels = np.arange(count) % 3
    write(folder / f"{prefix}{split}-images-idx3{ending}", images)
    write(folder / f"{prefix}{split}-labels-idx1{ending}", labels)
    return images, labels


def read(folder, split="train", **options):
    pairs = data.load(f"idx:{folder}", split, labels=True, shuffle=False, **options)
    images, labels = zip(*pairs, strict=True)
    return np.stack([data.to_uint8(image) for image in images])[..., 0], np.stack(labels)


def test_photographs_of_clothes():
    info = data.info(f"idx:{CLOTHES}")
    assert (info.image_size, info.channels, info.flip) == (28, 1, None)
    assert info.splits == {"train": 500, "test": 100}
    assert info.class_names == FASHION_MNIST_CLASSES
    images, labels = read(CLOTHES)
    assert images.shape == (500, 28, 28)
    np.testing.assert_array_equal(np.bincount(labels), [50] * 10)
    # the corner of a photograph is its black ground, and a trouser is light in two legs
    assert images[:, 0, 0].max() < 8
    legs = images[labels == 1].mean(axis=0)[20]
    assert legs[11] > legs[14] < legs[17]


@pytest.mark.parametrize("ending", ["-ubyte", "-ubyte.gz"])
@pytest.mark.parametrize("cache", [True, False])
def test_splits_hold_what_the_files_hold(tmp_path, ending, cache):
    train = write_split(tmp_path, "train", 7, ending=ending)
    test = write_split(tmp_path, "t10k", 4, ending=ending)
    for split, expected in (("train", train), ("test", test)):
        for received, wanted in zip(read(tmp_path, split, cache=cache), expected, strict=True):
            np.testing.assert_array_equal(received, wanted)
    assert data.info(f"idx:{tmp_path}").class_names == ("0", "1", "2")
    assert data.prepare(f"idx:{tmp_path}") == str(tmp_path)


def test_files_may_begin_with_the_name_of_the_set(tmp_path):
    write_split(tmp_path, "train", 5, prefix="emnist-letters-")
    write_split(tmp_path, "test", 3, prefix="emnist-letters-")
    assert data.info(f"idx:{tmp_path}").splits == {"train": 5, "test": 3}
    write_split(tmp_path, "train", 5, prefix="emnist-digits-")
    with pytest.raises(ValueError, match=r"one file of train images, received emnist-digits-.*and"):
        data.info(f"idx:{tmp_path}")


def test_a_file_may_be_there_gzipped_and_not_or_called_as_what_it_is_not(tmp_path):
    expected = write_split(tmp_path)
    images, labels = (tmp_path / f"train-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
    write(images.with_name(f"{images.name}.gz"), np.zeros((2, 4, 4)))  # the unpacked one is read
    write(labels.with_name(f"{labels.name}.gz"), expected[1])
    labels.unlink()
    np.testing.assert_array_equal(read(tmp_path)[0], expected[0])
    np.testing.assert_array_equal(read(tmp_path)[1], expected[1])
    # as browsers leave them: unpacked, and still called .gz; and the other way about
    content = images.read_bytes()
    images.rename(images.with_name(f"{images.name}.gz"))
    np.testing.assert_array_equal(read(tmp_path)[0], expected[0])
    images.write_bytes(gzip.compress(content))
    np.testing.assert_array_equal(read(tmp_path)[0], expected[0])


@pytest.mark.parametrize(
    ("part", "chosen"),
    [("train[:2]", slice(0, 2)), ("train[3:5]", slice(3, 5)), ("train[50%:]", slice(5, None))],
)
def test_parts_of_a_split(tmp_path, part, chosen):
    images, labels = write_split(tmp_path, count=10)
    received = read(tmp_path, part)
    np.testing.assert_array_equal(received[0], images[chosen])
    np.testing.assert_array_equal(received[1], labels[chosen])


def test_workers_share_the_images(tmp_path):
    images, _ = write_split(tmp_path, count=7)
    parts = [read(tmp_path, shard=(index, 3))[0] for index in range(3)]
    assert [len(part) for part in parts] == [3, 2, 2]
    assert {image.tobytes() for part in parts for image in part} == {
        image.astype(np.uint8).tobytes() for image in images
    }


def test_images_are_shuffled_and_resized(tmp_path):
    images, _ = write_split(tmp_path, count=7, shape=(4, 6))
    info = data.info(f"idx:{tmp_path}")
    assert (info.image_size, info.stored_size) == (4, (4, 6))
    np.testing.assert_array_equal(read(tmp_path)[0], images[:, :, 1:5])  # the centre
    assert read(tmp_path, image_size=8)[0].shape == (7, 8, 8)
    for cache in (True, False):
        shuffled = data.load(f"idx:{tmp_path}", seed=1, cache=cache)
        received = [data.to_uint8(image).numpy()[..., 0] for image in shuffled]
        assert not np.array_equal(received, images[:, :, 1:5])
        assert sorted(map(np.sum, received)) == sorted(map(np.sum, images[:, :, 1:5]))


def test_classes_are_called_by_the_file_beside_them(tmp_path):
    write_split(tmp_path)
    (tmp_path / "classes.txt").write_text("a b\nc\n\nd\n")
    assert data.info(f"idx:{tmp_path}").class_names == ("a b", "c", "d")
    (tmp_path / "classes.txt").write_text("a\n")
    with pytest.raises(ValueError, match=r"classes.txt must name 3 classes, received 1"):
        data.info(f"idx:{tmp_path}")
    (tmp_path / "classes.txt").write_bytes(b"a\n\xff\xfe\n")
    with pytest.raises(ValueError, match=r"classes\.txt must be a list of classes, and is damaged"):
        data.info(f"idx:{tmp_path}")
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    os.mkfifo(tmp_path / "train-labels-idx1-ubyte")
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte must be an IDX file, received"):
        data.info(f"idx:{tmp_path}")


def test_classes_are_called_as_the_published_sets_call_them(tmp_path):
    write_split(tmp_path, prefix="emnist-letters-")
    mapping = tmp_path / "emnist-letters-mapping.txt"
    mapping.write_text("1 65 97\n2 66 98\n3 67 99\n")
    assert data.info(f"idx:{tmp_path}").class_names == ("0", "Aa", "Bb")
    mapping.write_text("1 A a\n")
    with pytest.raises(ValueError, match=r"mapping\.txt must be a list of classes, and is damaged"):
        data.info(f"idx:{tmp_path}")
    mapping.unlink()
    table = "index,codepoint,char\n0,U+304A,お\n1,U+304D,き\n2,U+3059,す\n"
    (tmp_path / "kmnist_classmap.csv").write_text(table)
    assert data.info(f"idx:{tmp_path}").class_names == ("お", "き", "す")
    # as Windows writes it, and before all others
    (tmp_path / "classes.txt").write_text("\ufeffa\r\nb\r\nc")
    assert data.info(f"idx:{tmp_path}").class_names == ("a", "b", "c")


def cut(content):
    return content[: len(content) // 2]


@pytest.mark.parametrize("ending", ["-ubyte", "-ubyte.gz"])
@pytest.mark.parametrize(
    "damage",
    [cut, lambda content: b"", lambda content: b"\x89PNG" + content, lambda content: content[:9]],
    ids=["cut", "empty", "other", "header"],
)
def test_broken_files_are_named(tmp_path, ending, damage):
    write_split(tmp_path, ending=ending)
    for kind in ("images-idx3", "labels-idx1"):
        path = tmp_path / f"train-{kind}{ending}"
        whole = path.read_bytes()
        path.write_bytes(damage(whole))
        with pytest.raises(ValueError, match=f"IDX file .*{path.name} must"):
            data.load(f"idx:{tmp_path}")
        path.write_bytes(whole)


def test_files_that_hold_too_much_are_refused(tmp_path):
    write_split(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(ValueError, match="must hold 112 bytes of data, received more"):
        data.load(f"idx:{tmp_path}")
    write(path, np.zeros((7, 0, 4)))
    with pytest.raises(ValueError, match=r"must hold data, received an array of shape \(7, 0, 4\)"):
        data.load(f"idx:{tmp_path}")


def test_labels_must_fit_the_images(tmp_path):
    write_split(tmp_path)
    path = tmp_path / "train-labels-idx1-ubyte"
    write(path, np.zeros(6))
    with pytest.raises(ValueError, match=r"a label for each of the 7 images of .* received 6"):
        data.load(f"idx:{tmp_path}")
    path.unlink()
    with pytest.raises(FileNotFoundError, match="train-labels-idx1-ubyte, the labels of"):
        data.info(f"idx:{tmp_path}")


def test_splits_have_images_of_one_size(tmp_path):
    write_split(tmp_path)
    write_split(tmp_path, "t10k", shape=(4, 5))
    told = "t10k-images-idx3-ubyte must hold images of 4x4 pixels, .* received 4x5"
    for ask in (data.info, data.load):
        with pytest.raises(ValueError, match=told):
            ask(f"idx:{tmp_path}")


def test_folders_without_images_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="none does not exist"):
        data.info(f"idx:{tmp_path}/none")
    shutil.copy(CLOTHES / "classes.txt", tmp_path)
    with pytest.raises(NotADirectoryError, match="must be a folder, received a file"):
        data.info(f"idx:{tmp_path}/classes.txt")
    with pytest.raises(ValueError, match="must hold train-images-idx3-ubyte"):
        data.info(f"idx:{tmp_path}")
    write_split(tmp_path)
    with pytest.raises(ValueError, match=r"`split` .* must be one of train, received 'test'"):
        data.load(f"idx:{tmp_path}", "test")
