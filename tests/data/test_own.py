import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from gddim_tf import data

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(6) % 3


def read(name, split="train", **options):
    dataset = data.load(name, split, shuffle=False, labels=True, **options)
    images, labels = zip(*dataset, strict=True)
    return data.to_uint8(tf.stack(images)).numpy(), np.stack(labels)


def test_added_arrays_are_a_data_set():
    data.add("mine", (IMAGES, LABELS), (IMAGES[:2], LABELS[:2]), class_names=("a", "b", "c"))
    info = data.info("mine")
    assert (info.image_size, info.channels, info.class_names) == (8, 3, ("a", "b", "c"))
    assert info.splits == {"train": 6, "test": 2}
    images, labels = read("mine")
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
    images, labels = read("mine", "train[:50%]", shard=(1, 2))
    np.testing.assert_array_equal(images, IMAGES[1:3:2])
    shuffled = next(iter(data.load("mine", batch_size=6, labels=True)))
    order = [
        int(np.flatnonzero((data.to_uint8(i).numpy() == IMAGES).all((1, 2, 3)))[0])
        for i in shuffled[0]
    ]
    assert sorted(order) == list(range(6)) and order != list(range(6))
    np.testing.assert_array_equal(shuffled[1], LABELS[order])


@pytest.mark.parametrize("batched", [False, True])
def test_a_dataset_is_added_like_arrays(batched):
    dataset = tf.data.Dataset.from_tensor_slices((data.from_uint8(IMAGES), LABELS))
    data.add("dataset", dataset.batch(4) if batched else dataset)
    images, labels = read("dataset")
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


def test_images_without_labels_and_without_channels():
    data.add("plain", IMAGES[..., 0])
    info = data.info("plain")
    assert (info.channels, info.num_classes) == (1, 0)
    (batch,) = data.load("plain", batch_size=6, shuffle=False)
    np.testing.assert_array_equal(data.to_uint8(batch)[..., 0], IMAGES[..., 0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((2, 3, 8, 8), np.uint8), r"must have shape .* received \(2, 3, 8, 8\)"),
        (np.zeros((0, 8, 8, 1), np.uint8), "must have shape"),
        (IMAGES / 255.0, "nothing below 0: 2 \\* images - 1"),
        (IMAGES.astype(np.float32), "must be uint8, or float in .* received float32 from"),
        (IMAGES.astype(np.int64), "must be uint8, .* received int64"),
        (np.full((1, 8, 8, 1), np.nan), "must be uint8, .* received float64"),
        ((IMAGES, np.eye(6)), r"must be whole numbers .* received float64 of shape \(6, 6\)"),
        ((IMAGES, LABELS - 1), "must be whole numbers from 0 on"),
        ((IMAGES, LABELS + 2**31), "must be whole numbers from 0 on and below 1048576"),
        (np.full((1, 8, 8, 1), "a"), "must be uint8, or float in .*, received str"),
        ((IMAGES, LABELS[:5]), r"one for each of 6 images, received int64 of shape \(5,\)"),
        (tf.data.Dataset.from_tensors(IMAGES).repeat(), "must be finite"),
        (tf.data.Dataset.from_tensors(np.float32(IMAGES)), "received float32 from 0 to 2"),
        (tf.data.Dataset.from_tensors(IMAGES / 255.0), "received nothing below 0"),
        (tf.data.Dataset.from_tensors(IMAGES * np.nan), "received float64 from nan to nan"),
        (tf.data.Dataset.from_tensors(np.int32(IMAGES)), "received int32"),
    ],
)
def test_other_arrays_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        data.add("wrong", given)


def test_names_and_splits_that_do_not_fit():
    with pytest.raises(ValueError, match="must be a new one, received that of a known data set"):
        data.add("digits", IMAGES)
    with pytest.raises(ValueError, match="must be letters, digits"):
        data.add("a/b", IMAGES)
    with pytest.raises(ValueError, match="must have images of one shape"):
        data.add("wrong", IMAGES, IMAGES[:, :4])
    with pytest.raises(ValueError, match="`class_names` must be at least 3, received 1"):
        data.add("wrong", (IMAGES, LABELS), class_names=("a",))


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train"),
        ("images", "labels"),
        ("arr_0", "arr_1"),
        ("train_images", "train_labels"),
    ],
)
def test_arrays_of_an_npz_file(tmp_path, names):
    path = tmp_path / "mine.npz"
    test = {"x_test": IMAGES[:1], "y_test": LABELS[:1, None]}
    np.savez_compressed(path, **dict(zip(names, (IMAGES, LABELS), strict=True)), **test, other=1)
    images, labels = read(str(path))
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
    assert data.info(str(path)).splits == {"train": 6, "test": 1}


def test_an_npz_file_that_is_damaged_or_something_else(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(FileNotFoundError, match=r"a\.npz does not exist"):
        data.info(str(path))
    np.savez(path, x=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match=r"a\.npz must be a \.npz file of arrays, and is damaged"):
        data.info(str(path))
    np.savez(path, pixels=IMAGES)
    with pytest.raises(
        ValueError, match=r"must hold an array called train_images, .* received none"
    ):
        data.info(str(path))
    np.savez(path, images=IMAGES)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"must be a \.npz file of arrays"):
        data.info(str(path))
    np.save(tmp_path / "b.npy", IMAGES)
    (tmp_path / "b.npy").rename(path)
    with pytest.raises(ValueError, match="not a zip file"):
        data.info(str(path))


def test_an_npz_file_that_says_to_be_vast_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, images=np.zeros((1, 8, 8, 1), np.uint8))
    content = path.read_bytes().replace(b"(1, 8, 8, 1)", b"(9999999999,)")
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"must be a \.npz file of arrays"):
        data.info(str(path))


class Written(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.2.0")

    def _info(self):
        image = tfds.features.Image(shape=(8, 8, 3), encoding_format="png")
        label = tfds.features.ClassLabel(names=["a", "b", "c"])
        features = tfds.features.FeaturesDict({"image": image, "label": label})
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
            yield number, {"image": image, "label": int(label)}


def test_whatever_tfds_has_written_is_read_without_its_code(tmp_path):
    Written(data_dir=tmp_path).download_and_prepare()
    # as in another process, which does not know the class
    (tmp_path / "written").rename(tmp_path / "unknown_to_all")
    info = data.info("unknown_to_all", tmp_path)
    assert (info.image_size, info.channels, info.class_names) == (8, 3, ("a", "b", "c"))
    assert (info.splits, info.stored_size) == ({"train": 6}, IMAGES.shape[1:3])
    images, labels = read("unknown_to_all", data_dir=tmp_path)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
    with pytest.raises(ValueError, match="`name` must be one of digits"):
        data.info("unknown_to_all", tmp_path / "elsewhere")
    for damaged in ("", "{", "[]", '{"splits": 3}', "\0"):
        (tmp_path / "unknown_to_all/1.2.0/dataset_info.json").write_text(damaged)
        with pytest.raises(ValueError, match=r"unknown_to_all/1\.2\.0 must be a data set of TFDS"):
            data.info("unknown_to_all", tmp_path)
