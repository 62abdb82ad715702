import io
import threading

import numpy as np
import pytest
import requests
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from gddim_tf import data
from gddim_tf.data import pipeline

CIFAR10 = np.random.default_rng(0).integers(0, 256, (26, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def cifar10_dir(tmp_path_factory):
    """CIFAR-10 as TFDS writes it, in five files, but 20 + 6 random images, not the download."""
    folder = tmp_path_factory.mktemp("cifar10")

    def examples(first, last):
        for i in range(first, last):
            yield i, {"id": f"{i}", "image": CIFAR10[i], "label": i % 10}

    def split_generators(self, dl_manager):
        return {"train": examples(0, 20), "test": examples(20, 26)}

    with pytest.MonkeyPatch.context() as patch:
        builder = tfds.builder("cifar10", data_dir=folder)
        patch.setattr(type(builder), "_split_generators", split_generators)
        config = tfds.download.DownloadConfig(num_shards=5)
        builder.download_and_prepare(download_config=config)
    return folder


def as_levels(dataset):
    return {data.to_uint8(image).numpy().tobytes() for image in dataset}


def test_prepared_set_is_read_from_disk(cifar10_dir):
    info = data.info("cifar10", cifar10_dir)
    assert info.splits == {"train": 20, "test": 6}
    assert (info.image_size, info.num_classes, info.class_names[9]) == (32, 10, "truck")
    train = data.load("cifar10", "train", shuffle=False, data_dir=cifar10_dir)
    assert as_levels(train) == {image.tobytes() for image in CIFAR10[:20]}
    for image, label in data.load("cifar10", "test", labels=True, data_dir=cifar10_dir):
        matches = (data.to_uint8(image).numpy() == CIFAR10).all(axis=(1, 2, 3))
        assert np.flatnonzero(matches) % 10 == [label]


def test_set_on_disk_is_not_prepared_again(cifar10_dir):
    files = {path: path.stat().st_mtime_ns for path in cifar10_dir.rglob("*.tfrecord*")}
    assert len(files) == 10
    assert data.prepare("cifar10", cifar10_dir) == str(cifar10_dir / "cifar10" / "3.0.2")
    assert files == {path: path.stat().st_mtime_ns for path in files}


@pytest.mark.parametrize("cache", [True, False])
def test_seed_decides_the_order_of_several_files(cifar10_dir, cache):
    def order(seed):
        dataset = data.load("cifar10", seed=seed, flip=False, cache=cache, data_dir=cifar10_dir)
        return [image.numpy().tobytes() for image in dataset]

    first, again, other = order(1), order(1), order(2)
    assert first == again
    assert first != other
    assert sorted(first) == sorted(other)


def test_files_themselves_are_shuffled_when_the_images_are_not_kept(cifar10_dir, monkeypatch):
    monkeypatch.setattr(pipeline, "BUFFER_IMAGES", 1)  # as for a set far larger than the buffer
    ordered = data.load("cifar10", shuffle=False, cache=False, data_dir=cifar10_dir)
    shuffled = data.load("cifar10", shuffle=True, flip=False, cache=False, data_dir=cifar10_dir)
    passes = [[image.numpy().tobytes() for image in dataset] for dataset in (ordered, shuffled)]
    assert passes[0] != passes[1]
    assert sorted(passes[0]) == sorted(passes[1])


def test_part_of_a_split(cifar10_dir):
    part = data.load("cifar10", "train[:5]", shuffle=False, data_dir=cifar10_dir)
    rest = data.load("cifar10", "train[5:]", shuffle=False, data_dir=cifar10_dir)
    assert (len(list(part)), len(list(rest))) == (5, 15)
    assert as_levels(part) | as_levels(rest) == {image.tobytes() for image in CIFAR10[:20]}


def test_default_folder_is_the_environment_variable(cifar10_dir, monkeypatch):
    monkeypatch.setenv("GDDIM_TF_DATA_DIR", str(cifar10_dir))
    assert len(list(data.load("cifar10", "test"))) == 6


def test_home_folder_is_understood(cifar10_dir, monkeypatch):
    monkeypatch.setenv("HOME", str(cifar10_dir.parent))
    assert len(list(data.load("cifar10", "test", data_dir=f"~/{cifar10_dir.name}"))) == 6


@pytest.mark.parametrize(
    "name", [name for name in data.names() if name not in ("digits", "photo_patches")]
)
def test_missing_set_is_one_sentence_without_network(name, tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise AssertionError("`load` must not use the network")

    monkeypatch.setattr(requests.Session, "send", no_network)
    assert set(data.info(name, tmp_path).splits.values()) == {None}
    with pytest.raises(FileNotFoundError) as caught:
        data.load(name, data_dir=tmp_path)
    message = str(caught.value)
    assert f"is not in {tmp_path}/{name}/" in message
    assert "set the environment variable GDDIM_TF_DATA_DIR to the folder" in message
    assert "\n" not in message
    if name in ("fashion_mnist", "cifar10", "celeb_a"):
        assert f"run `gddim-tf prepare {name} --data-dir {tmp_path}`" in message
    else:
        assert "unpack its images and use `folder:PATH`" in message
        with pytest.raises(FileNotFoundError) as refused:
            data.prepare(name, tmp_path)
        assert str(refused.value) == message
    assert caught.value.__suppress_context__  # TFDS's own error is not shown above it


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ConnectionError("name resolution failed"),
        tfds.core.download.DownloadError("name resolution failed"),
    ],
    ids=["network", "server"],
)
def test_download_without_network_is_one_error(tmp_path, monkeypatch, error):
    def no_network(*args, **kwargs):
        raise error

    monkeypatch.setattr(requests.Session, "send", no_network)
    with pytest.raises(ConnectionError, match=r"'cifar10' could not be downloaded to .*resolution"):
        data.prepare("cifar10", tmp_path)


def test_celeb_a_is_cropped_as_in_ddim():
    picture = np.random.default_rng(0).integers(0, 256, (218, 178, 3), dtype=np.uint8)

    def as_dataset(self, *args, **kwargs):
        return tf.data.Dataset.from_tensors({"image": picture})

    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        (image,) = data.load("celeb_a", shuffle=False)
    crop = Image.fromarray(picture).crop((89 - 64, 121 - 64, 89 + 64, 121 + 64))
    expected = crop.resize((64, 64), Image.Resampling.BILINEAR)
    assert image.shape == (64, 64, 3)
    np.testing.assert_allclose(np.int32(data.to_uint8(image)), np.int32(expected), atol=1)


@pytest.mark.parametrize(
    ("name", "labels", "shape"),
    [
        ("cifar10", True, (4, 32, 32, 3)),
        ("celeb_a", False, (4, 64, 64, 3)),
        ("lsun/church_outdoor", False, (4, 256, 256, 3)),
    ],
)
def test_batches_of_the_public_sets(name, labels, shape):
    with tfds.testing.mock_data(num_examples=6):
        dataset = data.load(name, batch_size=4, labels=labels)
        sizes = [(batch[0] if labels else batch).shape for batch in dataset]
    assert sizes == [shape, (2, *shape[1:])]


def test_threads_that_prepare_at_once_leave_the_screen_as_it_was(tmp_path, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout", screen)
    threads = [threading.Thread(target=data.prepare, args=("digits", tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("still here")
    assert screen.getvalue() == "still here\n"


def test_the_stored_size_is_what_tfds_says():
    expected = {"digits": (8, 8), "cifar10": (32, 32), "celeb_a": None, "lsun/bedroom": None}
    assert {name: data.info(name).stored_size for name in expected} == expected
