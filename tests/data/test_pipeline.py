import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gddim_tf import data

TEST_COUNT = 297


@pytest.fixture
def load(data_dir):
    def load(name, split="test", *args, **kwargs):
        return data.load(name, split, *args, data_dir=data_dir, **kwargs)

    return load


def one_pass(dataset):
    return np.concatenate(list(dataset.as_numpy_iterator()))


def rows(images):
    """The images in an order that does not depend on how they were shuffled."""
    return sorted(image.tobytes() for image in images)


@settings(max_examples=12, deadline=None)
@given(
    batch_size=st.integers(1, 400),
    drop_remainder=st.booleans(),
    shuffle=st.booleans(),
    cache=st.booleans(),
    workers=st.integers(1, 4),
)
def test_batches_cover_the_split_once(
    data_dir, batch_size, drop_remainder, shuffle, cache, workers
):
    parts = [TEST_COUNT // workers + (i < TEST_COUNT % workers) for i in range(workers)]
    drop_remainder = drop_remainder and batch_size <= min(parts)
    for index, count in enumerate(parts):
        dataset = data.load(
            "digits",
            "test",
            batch_size,
            drop_remainder=drop_remainder,
            shuffle=shuffle,
            cache=cache,
            shard=(index, workers),
            data_dir=data_dir,
        )
        batches = list(dataset.as_numpy_iterator())
        sizes = [len(batch) for batch in batches]
        remainder = [] if drop_remainder or count % batch_size == 0 else [count % batch_size]
        assert sizes == [batch_size] * (count // batch_size) + remainder
        for batch in batches:
            assert batch.dtype == np.float32
            assert batch.shape[1:] == (8, 8, 1)
            assert batch.min() >= -1 and batch.max() <= 1
    assert (dataset.element_spec.shape[0] == batch_size) == drop_remainder


def test_values_reach_both_ends(load):
    images = one_pass(load("digits", batch_size=100))
    assert (images.min(), images.max()) == (-1, 1)


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("workers", [2, 3, 7])
def test_shards_partition_the_split(load, cache, workers):
    whole = one_pass(load("digits", batch_size=50, shuffle=False))
    parts = [
        one_pass(load("digits", batch_size=50, shuffle=True, shard=(i, workers), cache=cache))
        for i in range(workers)
    ]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert rows(np.concatenate(parts)) == rows(whole)


def test_shards_are_not_divided_again_by_tf_distribute(load):
    off = tf.data.experimental.AutoShardPolicy.OFF
    sharded = load("digits", batch_size=50, shard=(0, 2)).options()
    assert sharded.experimental_distribute.auto_shard_policy == off
    whole = load("digits", batch_size=50).options()
    assert whole.experimental_distribute.auto_shard_policy != off


@pytest.mark.parametrize("cache", [True, False])
def test_seed_decides_every_pass(load, cache):
    def passes(seed):
        dataset = load("photo_patches", batch_size=500, shuffle=True, seed=seed, cache=cache)
        return [one_pass(dataset), one_pass(dataset)]

    first, again, other = passes(1), passes(1), passes(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], other[0])


def test_order_is_kept_unless_shuffled(load):
    test = load("digits", batch_size=50)
    np.testing.assert_array_equal(one_pass(test), one_pass(test))
    train = load("digits", "train", batch_size=50)
    ordered = one_pass(load("digits", "train", batch_size=50, shuffle=False))
    shuffled = one_pass(train)
    assert not np.array_equal(shuffled, ordered)
    assert rows(shuffled) == rows(ordered)


def test_whole_set_is_mixed_by_one_pass(load):
    ordered = one_pass(load("photo_patches", "train", batch_size=500, shuffle=False))
    position = {image.tobytes(): i for i, image in enumerate(ordered)}
    shuffled = one_pass(load("photo_patches", "train", batch_size=500, flip=False))
    places = np.array([position[image.tobytes()] for image in shuffled])
    # The first thousand of 10,000 come from everywhere: their mean is 5,000 +- 90.
    assert abs(places[:1000].mean() - 5000) < 400


def test_mirroring_follows_shuffling_and_the_data_set(load):
    ordered = one_pass(load("photo_patches", batch_size=500))
    originals = {image.tobytes() for image in ordered}

    def mirrored(**options):
        images = one_pass(load("photo_patches", batch_size=500, **options))
        return np.mean([image.tobytes() not in originals for image in images])

    assert mirrored(shuffle=True) == pytest.approx(0.5, abs=0.1)
    assert mirrored(shuffle=False) == 0
    assert mirrored(shuffle=True, flip=False) == 0
    assert mirrored(shuffle=False, flip=True) == pytest.approx(0.5, abs=0.1)


def test_digits_are_never_mirrored(load):
    assert rows(one_pass(load("digits", batch_size=50, shuffle=True))) == rows(
        one_pass(load("digits", batch_size=50, shuffle=False))
    )
    with pytest.raises(ValueError, match="`flip` must not be True for digits"):
        load("digits", flip=True)


def test_labels_stay_with_their_images(load):
    classes = {}
    for images, labels in load("digits", batch_size=50, labels=True, shuffle=False):
        assert labels.dtype == tf.int32
        classes |= {i.tobytes(): int(c) for i, c in zip(images.numpy(), labels, strict=True)}
    for images, labels in load("digits", batch_size=50, labels=True, shuffle=True):
        for image, label in zip(images.numpy(), labels, strict=True):
            assert classes[image.tobytes()] == label


def test_repeated_set_has_full_batches_and_every_image_equally_often(load):
    batches = load("digits", batch_size=TEST_COUNT + 3, shuffle=True, repeat=True)
    images = np.concatenate([batch.numpy() for batch in batches.take(TEST_COUNT)])
    counts = np.unique([image.tobytes() for image in images], return_counts=True)[1]
    assert set(counts) == {TEST_COUNT + 3}
    assert batches.cardinality() == tf.data.INFINITE_CARDINALITY


def test_image_size_is_a_choice(load):
    assert next(iter(load("digits", image_size=16))).shape == (16, 16, 1)
    assert next(iter(load("photo_patches", batch_size=2, image_size=8))).shape == (2, 8, 8, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "validation"}, "`split` of digits must be one of train, test, received"),
        ({"batch_size": 0}, "`batch_size` must be a positive number or None, received 0"),
        ({"image_size": -8}, "`image_size` must be a positive number or None, received -8"),
        ({"shard": (2, 2)}, r"`shard` must be \(index, count\) .*received \(2, 2\)"),
        ({"shard": (0, 298)}, "at least one image, received 297 images and 298 workers"),
        ({"split": "test[:0]"}, "at least one image, received 0 images and 1 workers"),
        ({"split": "train[9:3]"}, r"received 0 images and 1 workers for 'train\[9:3\]'"),
        ({"batch_size": 298, "drop_remainder": True}, "`batch_size` must be at most the 297"),
    ],
)
def test_arguments_out_of_range_are_named(load, options, message):
    with pytest.raises(ValueError, match=message):
        load("digits", **options)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"digits, .*folder:PATH or idx:PATH, received 'mnist'"):
        data.load("mnist")


@pytest.mark.parametrize("flip", [False, True])
def test_batches_go_on_where_another_reader_stopped(tmp_path, flip):
    for index in range(11):
        image = np.array([[index, index + 100]] * 2, np.uint8)
        Image.fromarray(image).save(tmp_path / f"{index:02}.png")
    options = {"batch_size": 4, "repeat": True, "drop_remainder": True, "flip": flip, "seed": 3}

    def read(start, count):
        batches = data.load(f"folder:{tmp_path}", start=start, **options).take(count)
        return np.concatenate([data.to_uint8(batch) for batch in batches])

    whole = read(0, 11)  # four passes
    np.testing.assert_array_equal(read(5, 6), whole[20:])
    numbers = whole.min(axis=(1, 2, 3)).reshape(4, 11)
    assert all(sorted(part) == list(range(11)) for part in numbers)  # each pass has every image
    assert len({tuple(part) for part in numbers}) == 4  # in another order
    mirrored = (whole[:, 0, 0, 0] > whole[:, 0, 1, 0]).mean()
    assert mirrored == 0 if not flip else 0.25 < mirrored < 0.75


def test_start_is_for_endless_batches():
    for options in ({"repeat": True}, {"batch_size": 4}, {"batch_size": 4, "repeat": True}):
        with pytest.raises(ValueError, match="`start` must be 0, or the number of a batch"):
            data.load("digits", start=-1 if len(options) == 2 else 1, **options)
