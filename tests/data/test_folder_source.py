import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gddim_tf import data
from gddim_tf.data import pipeline

RNG = np.random.default_rng(0)


def random_image(height=8, width=8, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return array


def read(folder, **options):
    dataset = data.load(f"folder:{folder}", shuffle=False, **options)
    return [data.to_uint8(image).numpy() for image in dataset]


@pytest.mark.parametrize("cache", [True, False])
def test_tree_with_classes(tmp_path, cache):
    dogs = [save(tmp_path / "dog" / f"{i}.png", random_image()) for i in range(2)]
    cats = [save(tmp_path / "cat" / "deep" / f"{i}.PNG", random_image()) for i in range(3)]
    info = data.info(f"folder:{tmp_path}")
    assert info.class_names == ("cat", "dog")
    assert (info.num_classes, info.channels, info.image_size) == (2, 3, 8)
    assert info.splits == {"train": 5}
    pairs = data.load(f"folder:{tmp_path}", labels=True, shuffle=False, cache=cache)
    assert pairs.element_spec[0].shape == (8, 8, 3)
    images, labels = zip(*pairs, strict=True)
    np.testing.assert_array_equal(data.to_uint8(tf.stack(images)), cats + dogs)
    assert [int(label) for label in labels] == [0, 0, 0, 1, 1]


def test_images_outside_sub_folders_have_no_classes(tmp_path):
    save(tmp_path / "a.png", random_image())
    save(tmp_path / "b" / "c.png", random_image())
    assert data.info(f"folder:{tmp_path}").num_classes == 0
    assert len(read(tmp_path)) == 2
    with pytest.raises(ValueError, match="`labels` must be False"):
        data.load(f"folder:{tmp_path}", labels=True)


def test_other_files_and_hidden_ones_are_ignored(tmp_path):
    image = save(tmp_path / "a.png", random_image())
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "._a.png").write_bytes(b"written by another system")
    save(tmp_path / ".thumbnails" / "a.png", random_image())
    np.testing.assert_array_equal(read(tmp_path), [image])


def test_every_kind_of_image_becomes_rgb(tmp_path):
    grey = save(tmp_path / "1_grey.png", random_image(channels=1))
    rgba = save(tmp_path / "2_rgba.png", random_image(channels=4))
    deep = RNG.integers(0, 2**16, (8, 8), dtype=np.uint16)
    save(tmp_path / "3_deep.png", deep)
    palette = Image.fromarray(random_image()).convert("P")
    palette.save(tmp_path / "4_palette.png")
    expected = [
        np.repeat(grey[..., None], 3, axis=-1),
        rgba[..., :3],
        np.repeat((deep // 257)[..., None], 3, axis=-1),
        np.asarray(palette.convert("RGB")),
    ]
    np.testing.assert_array_equal(read(tmp_path), expected)


def test_largest_centred_square_is_resized(tmp_path):
    wide = save(tmp_path / "1_wide.png", random_image(20, 31))
    tall = save(tmp_path / "2_tall.jpg", random_image(41, 18), quality=100)
    tall = np.asarray(Image.open(tmp_path / "2_tall.jpg"))
    squares = [wide[:, 5:25], tall[11:29]]
    expected = [Image.fromarray(s).resize((10, 10), Image.Resampling.BILINEAR) for s in squares]
    np.testing.assert_array_equal(read(tmp_path, image_size=10), [np.asarray(e) for e in expected])
    assert read(tmp_path)[0].shape == (18, 18, 3)


def test_orientation_of_the_camera_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # held upside down
    image = save(tmp_path / "a.png", random_image(), exif=exif)
    np.testing.assert_array_equal(read(tmp_path), [image[::-1, ::-1]])


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("name", ["broken.png", "broken.jpg"])
@pytest.mark.parametrize("damage", [cut, lambda path: path.write_bytes(b"")], ids=["cut", "empty"])
def test_broken_file_is_named(tmp_path, name, damage):
    for i in range(3):
        save(tmp_path / f"{i}.png", random_image(64, 64))
    save(tmp_path / name, random_image(64, 64))
    damage(tmp_path / name)
    with pytest.raises(ValueError, match=f"image file {tmp_path}/{name} must be a readable"):
        data.load(f"folder:{tmp_path}", image_size=8)


def test_broken_file_is_named_when_images_are_decoded_on_the_way(tmp_path):
    save(tmp_path / "broken.png", random_image(64, 64))
    cut(tmp_path / "broken.png")
    dataset = data.load(f"folder:{tmp_path}", cache=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"image file {tmp_path}/broken.png"):
        list(dataset)


def test_folders_that_hold_nothing(tmp_path):
    with pytest.raises(ValueError, match="must hold PNG or JPEG files, received none"):
        data.load(f"folder:{tmp_path}")
    with pytest.raises(FileNotFoundError, match="absent does not exist"):
        data.info(f"folder:{tmp_path / 'absent'}")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="must be a folder, received a file"):
        data.prepare(f"folder:{tmp_path / 'file'}")


def test_fewer_images_than_a_batch(tmp_path):
    for i in range(5):
        save(tmp_path / f"{i}.png", random_image())
    (batch,) = data.load(f"folder:{tmp_path}", batch_size=128)
    assert batch.shape == (5, 8, 8, 3)
    with pytest.raises(ValueError, match="`batch_size` must be at most the 5 images"):
        data.load(f"folder:{tmp_path}", batch_size=128, drop_remainder=True)
    endless = data.load(f"folder:{tmp_path}", batch_size=128, drop_remainder=True, repeat=True)
    assert next(iter(endless)).shape == (128, 8, 8, 3)


def test_only_split_is_train(tmp_path):
    save(tmp_path / "a.png", random_image())
    for split in ("test", "train[:1]"):
        with pytest.raises(ValueError, match=r"`split` of .* must be .*train"):
            data.load(f"folder:{tmp_path}", split)


@pytest.mark.parametrize("cache", [True, False])
def test_images_are_mirrored_only_on_request_and_left_to_right(tmp_path, cache):
    images = [save(tmp_path / f"{i:02}.png", random_image()) for i in range(40)]
    np.testing.assert_array_equal(read(tmp_path, cache=cache), images)
    dataset = data.load(f"folder:{tmp_path}", shuffle=False, flip=True, cache=cache)
    passes = []
    for _ in range(2):
        mirrored = []
        for image, original in zip(dataset, images, strict=True):
            image = data.to_uint8(image).numpy()
            mirrored.append(not np.array_equal(image, original))
            np.testing.assert_array_equal(image, original[:, ::-1] if mirrored[-1] else original)
        assert 5 < sum(mirrored) < 35
        passes.append(mirrored)
    assert passes[0] != passes[1]


def test_files_are_shuffled_as_a_whole_when_the_images_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "BUFFER_IMAGES", 1)  # as for a set far larger than the buffer
    for i in range(40):
        save(tmp_path / f"{i:02}.png", np.full((4, 4), i, np.uint8))

    def two_passes(seed):
        dataset = data.load(f"folder:{tmp_path}", seed=seed, cache=False)
        return [[int(i[0, 0, 0]) for i in map(data.to_uint8, dataset)] for _ in range(2)]

    first, second = two_passes(seed=1)
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second
    assert two_passes(seed=1) == [first, second]
    assert two_passes(seed=2) != [first, second]


@pytest.mark.parametrize("cache", [True, False])
def test_shards_partition_the_folder(tmp_path, cache):
    images = [save(tmp_path / f"{i}" / "a.png", random_image()) for i in range(8)]
    seen = {}
    for index in range(3):
        part = data.load(f"folder:{tmp_path}", labels=True, shard=(index, 3), cache=cache)
        assert len(part) == (3, 3, 2)[index]
        seen |= {int(label): data.to_uint8(image).numpy() for image, label in part}
    np.testing.assert_array_equal([seen[i] for i in range(8)], images)
