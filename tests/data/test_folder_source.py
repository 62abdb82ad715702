import os
import pathlib
import re
import shutil
import tempfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gddim_tf import data
from gddim_tf.data import pipeline
from gddim_tf.data.image_tree import ImageTree

RNG = np.random.default_rng(0)


def random_image(height=8, width=8, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return array


def on(background, rgba):
    """Pixels with an alpha channel before a background, rounded as Pillow does."""
    alpha = rgba[..., 3:] / 255
    return np.uint8(np.rint(rgba[..., :3] * alpha + background * (1 - alpha)))


def read(folder, **options):
    name = folder if isinstance(folder, str) else f"folder:{folder}"
    dataset = data.load(name, shuffle=False, **options)
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
        on(255, rgba),
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
    with pytest.raises(ValueError, match="must hold PNG, JPEG, WebP or BMP files, received none"):
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


@pytest.mark.parametrize(
    ("options", "colour"),
    [("", 255), ("(background=black)", 0), ("(background=#0000ff, channels=3)", (0, 0, 255))],
)
def test_transparent_images_are_put_before_a_background(tmp_path, options, colour):
    image = np.zeros((8, 8, 4), np.uint8)
    image[..., 1] = 255  # green, which nobody sees
    image[2:6, 2:6] = (255, 0, 0, 255)
    save(tmp_path / "a.png", image)
    # a palette with a transparent entry, green too; and RGB with a colour that stands for nothing
    palette = Image.fromarray(image[..., 1] // 255).convert("P")
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.save(tmp_path / "b.png", transparency=1)
    save(tmp_path / "c.png", image[..., :3], transparency=(0, 255, 0))
    expected = np.where(image[..., 3:] > 0, image[..., :3], np.uint8(colour))
    with pytest.warns(UserWarning, match="3 transparent images, put before"):
        images = read(f"folder{options}:{tmp_path}")
    np.testing.assert_array_equal(images, [expected] * 3)


def test_transparency_of_deep_grey_images(tmp_path):
    deep = np.full((4, 4), 257 * 100, np.uint16)
    deep[0] = 7
    save(tmp_path / "a.png", deep, transparency=7)
    (image,) = read(tmp_path)
    np.testing.assert_array_equal(image[..., 0], [[255] * 4] + [[100] * 4] * 3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder(background=nacht):.", "`background` must be a colour .*'nacht'"),
        ("folder(channels=2):.", "`channels` must be 1 or 3, received 2"),
        ("folder(size=2):.", "options of folder: are background, channels"),
        ("folder:", "must have a path after the colon"),
        ("folder: ", "must have a path after the colon"),
        ("idx:", "must have a path after the colon"),
    ],
)
def test_names_that_say_nothing(name, message):
    with pytest.raises(ValueError, match=message):
        data.info(name)


def test_a_path_without_its_kind_and_a_mistyped_name_are_understood(tmp_path):
    with pytest.raises(ValueError, match=f"did you mean folder:{tmp_path}"):
        data.info(str(tmp_path))
    with pytest.raises(ValueError, match=r"did you mean cifar10\?"):
        data.info("cifar-10")


def test_grey_images_stay_grey_unless_there_are_others(tmp_path):
    grey = save(tmp_path / "a.png", random_image(channels=1))[..., None]
    assert data.info(f"folder:{tmp_path}").channels == 1
    np.testing.assert_array_equal(read(tmp_path), [grey])
    rgb = grey.repeat(3, axis=-1)
    np.testing.assert_array_equal(read(f"folder(channels=3):{tmp_path}"), [rgb])
    save(tmp_path / "b.png", rgb)
    assert data.info(f"folder:{tmp_path}").channels == 3
    np.testing.assert_array_equal(read(f"folder(channels=1):{tmp_path}"), [grey, grey])


@pytest.mark.parametrize(("suffix", "options"), [("webp", {"lossless": True}), ("bmp", {})])
def test_webp_and_bmp_are_read(tmp_path, suffix, options):
    image = save(tmp_path / f"a.{suffix}", random_image(), **options)
    np.testing.assert_array_equal(read(tmp_path), [image])


@pytest.mark.parametrize("kind", ["eps", "tiff", "gif", "ico", "ppm"])
def test_no_other_decoder_is_started_whatever_the_name(tmp_path, kind):
    Image.fromarray(random_image(16, 16)).save(tmp_path / "a.png", format=kind)
    with pytest.raises(ValueError, match="must be a readable PNG, JPEG, WebP or BMP"):
        read(tmp_path)


def test_what_is_not_used_is_counted_with_its_reason(tmp_path):
    save(tmp_path / "cat" / "a.png", random_image())
    for name in ("b.gif", "c.GIF", "README"):
        (tmp_path / "cat" / name).write_bytes(b"")
    (tmp_path / ".DS_Store").write_bytes(b"")
    os.mkfifo(tmp_path / "cat" / "d.png")  # opening it would wait for a writer
    (tmp_path / "cat" / "e.png").symlink_to(tmp_path / "absent")
    (tmp_path / "linked").symlink_to(tmp_path / "cat")
    (note,) = data.info(f"folder:{tmp_path}").notes
    assert note == (
        "not used: 2 ending in .gif, 1 hidden, 1 links to folders, 1 links to nothing, "
        "1 no ordinary files, 1 without an ending"
    )
    with pytest.warns(UserWarning, match=r"not used: 2 ending in \.gif"):
        assert len(read(tmp_path)) == 1


def test_pictures_of_a_run_among_the_data_are_no_data(tmp_path):
    save(tmp_path / "a.png", random_image())
    save(tmp_path / "run" / "data.png", random_image())
    (tmp_path / "run" / "recipe.json").write_text("{}")
    assert data.info(f"folder:{tmp_path}").notes == ("not used: 1 folders of training runs",)
    assert len(read(tmp_path)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's folders are needed")
def test_folders_that_cannot_be_opened_are_told():
    root = pathlib.Path(tempfile.mkdtemp())  # pytest's own cannot be entered by another user
    try:
        root.chmod(0o755)
        for name in ("cat", "dog"):
            save(root / name / "a.png", random_image())
        ImageTree.walk(root)  # imports what the other user could not
        (root / "dog").chmod(0o700)
        os.seteuid(65534)
        try:
            tree = ImageTree.walk(root)
        finally:
            os.seteuid(0)
        assert tree.class_names == ("cat",)
        assert tree.notes == ("not used: 1 folders that cannot be opened",)
    finally:
        shutil.rmtree(root)


def test_a_few_images_beside_the_classes_are_left_out_and_told(tmp_path):
    save(tmp_path / "stray.png", random_image())
    for name in ("cat", "dog"):
        save(tmp_path / name / "a.png", random_image())
    info = data.info(f"folder:{tmp_path}")
    assert (info.class_names, info.splits["train"]) == (("cat", "dog"), 2)
    assert info.notes == ("not used: 1 beside the folders of the classes",)
    for index in range(2):
        save(tmp_path / f"{index}.png", random_image())
    info = data.info(f"folder:{tmp_path}")
    assert (info.class_names, info.splits["train"]) == ((), 5)
    with pytest.raises(ValueError, match="no classes, since 3 of 5 images lie beside"):
        data.load(f"folder:{tmp_path}", labels=True)


def test_oblong_sizes(tmp_path):
    image = save(tmp_path / "a.png", random_image(20, 30))
    (wide,) = read(tmp_path, image_size=(10, 20))
    expected = Image.fromarray(image[2:17]).resize((20, 10), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(wide, expected)
    np.testing.assert_array_equal(read(tmp_path, image_size=(20, 30)), [image])
    for sizes in ((0, 8), (8,), 0):
        with pytest.raises(ValueError, match="`image_size` must be"):
            data.load(f"folder:{tmp_path}", image_size=sizes)


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    Image.new("1", (13_000, 13_000)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="at most 67108864 pixels, received 13000 x 13000"):
        read(tmp_path, image_size=8)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16"])
def test_a_large_picture_is_in_memory_twice_and_no_more(tmp_path, mode):
    side = 4096
    Image.new(mode, (side, side)).save(tmp_path / "a.png", compress_level=1)

    def high_water():
        told = pathlib.Path("/proc/self/status").read_text()
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", told)[1])

    pathlib.Path("/proc/self/clear_refs").write_text("5")  # which brings it down to what is used
    before = high_water()
    read(tmp_path, image_size=8)
    assert high_water() - before < 3 * 4 * side**2  # 4 bytes a pixel; there were five copies


def test_the_fingerprint_knows_contents_names_and_classes(tmp_path):
    for name in ("cat", "dog"):
        save(tmp_path / "set" / name / "a.png", random_image())
    name = f"folder:{tmp_path / 'set'}"
    seen = [data.fingerprint(name)]
    assert data.fingerprint(name) == seen[0]
    image = (tmp_path / "set" / "cat" / "a.png").read_bytes()
    (tmp_path / "set" / "cat" / "a.png").write_bytes((tmp_path / "set/dog/a.png").read_bytes())
    seen.append(data.fingerprint(name))
    (tmp_path / "set" / "cat" / "a.png").write_bytes(image)
    (tmp_path / "set" / "cat").rename(tmp_path / "set" / "zebra")
    seen.append(data.fingerprint(name))
    (tmp_path / "set" / "zebra").rename(tmp_path / "set" / "cat")
    assert len(set(seen)) == 3
    (tmp_path / "set").rename(tmp_path / "moved")
    assert data.fingerprint(f"folder:{tmp_path / 'moved'}") == seen[0]


def test_the_stored_size_is_that_of_all_images_if_they_have_one(tmp_path):
    for name in "ab":
        save(tmp_path / f"{name}.png", random_image(8, 12))
    assert data.info(f"folder:{tmp_path}").stored_size == (8, 12)
    save(tmp_path / "c.png", random_image(12, 12))
    assert data.info(f"folder:{tmp_path}").stored_size is None
