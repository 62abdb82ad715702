"""From images on disk to the batches that a model trains on."""

from __future__ import annotations

import os
import warnings

import tensorflow as tf

from gddim_tf.data.catalogue import find
from gddim_tf.data.data_info import DataInfo, DataNote
from gddim_tf.data.endless import endless_batches
from gddim_tf.data.pixels import from_uint8

# Decoded data sets up to this size are kept in memory and shuffled as a whole.
MEMORY_LIMIT = 2**30
# Larger ones are shuffled by file and then through a buffer of at most this size.
BUFFER_LIMIT = 2**28
BUFFER_IMAGES = 10_000


def load(
    name: str,
    split: str = "train",
    batch_size: int | None = None,
    *,
    image_size: int | tuple[int, int] | None = None,
    labels: bool = False,
    shuffle: bool | None = None,
    flip: bool | None = None,
    seed: int = 0,
    repeat: bool = False,
    start: int = 0,
    drop_remainder: bool = False,
    shard: tuple[int, int] | None = None,
    data_dir: str | os.PathLike | None = None,
    cache: bool | None = None,
) -> tf.data.Dataset:
    """Load a data set as float32 images in [-1, 1].

    Nothing is ever downloaded here; see `prepare`. With the same arguments (and the same
    `tf.random.set_seed`, if any) every pass over the data set is the same as in the last run, and
    every pass shuffles and mirrors anew.

    Args:
      name: one of `names()`, `folder:PATH` for a tree of pictures, or `idx:PATH` for a folder of
        files in MNIST's format. `folder(background=black, channels=3):PATH` has transparent
        pictures before another colour than white, and grey ones as RGB.
      split: "train", "test" or "validation", whichever `info(name).splits` lists, or a part of one
        in TFDS's notation, such as "train[:1000]" (not for folders).
      batch_size: images per batch; None gives single images.
      image_size: side of the images in pixels, or (height, width); the default is that of
        `info(name)`.
      labels: whether to give (images, labels) pairs rather than images alone.
      shuffle: whether to shuffle; by default the "train" split is, others are not.
      flip: whether to mirror each image left to right with probability 1/2; by default data sets
        with `info(name).flip` are, when they are shuffled.
      seed: number that shuffling and mirroring start from.
      repeat: whether to begin again for ever; batches then run across the end of a pass.
      start: number of the first batch, to go on with `repeat` where another reader has ended. The
        order is then that of a reader who never stopped, if the images are kept in memory; of
        larger sets it is another random one.
      drop_remainder: whether to leave out a last batch that is smaller than the others.
      shard: (index, count) gives the index-th of count disjoint parts that together are the split,
        one for each worker; their sizes differ by at most one image.
      data_dir: folder of the TFDS data sets; the default is the environment variable
        `GDDIM_TF_DATA_DIR`, or else TFDS's own default (`~/tensorflow_datasets`).
      cache: whether to keep the decoded images in memory as uint8; by default if they take at most
        1 GiB.

    Returns:
      Dataset of images [batch, height, width, channels], float32 in [-1, 1], or of pairs with
      labels [batch], int32; without the batch axis if `batch_size` is None.

    Raises:
      ValueError: if an argument is out of its range, or a file of an image folder is broken.
      FileNotFoundError: if the data set is not on disk; the message says how to prepare it.
    """
    source = find(name, data_dir)
    _check_ranges(batch_size=batch_size, image_size=image_size, shard=shard)
    _check_start(start, batch_size, repeat)
    info = source.info()
    _check_against(info, split=split, labels=labels, flip=flip)
    for note in info.notes:
        warnings.warn(f"{name}: {note}", DataNote, stacklevel=2)
    if shuffle is None:
        shuffle = split.startswith("train")
    if flip is None:
        flip = shuffle and bool(info.flip)
    if image_size is None:
        image_size = info.image_size

    part = shard or (0, 1)
    count = _part_size(source.count(split), *part)
    if drop_remainder and not repeat:
        _check_a_batch_is_left(count, batch_size)
    image_bytes = _pixels(image_size) * info.channels
    if cache is None:
        cache = count is not None and count * image_bytes <= MEMORY_LIMIT
    if not cache:
        seed += start
    shuffle_seed = seed if shuffle and not cache else None
    dataset = source.images(
        split, image_size, in_memory=cache, shard=part, shuffle_seed=shuffle_seed
    )
    if repeat and cache and count and batch_size is not None:
        dataset = endless_batches(
            dataset, count, batch_size, start=start, shuffle=shuffle, flip=flip, seed=seed
        )
        return _finish(dataset, labels, sharded=shard is not None)
    if shuffle:
        dataset = dataset.shuffle(_buffer_size(count, image_bytes, cache), seed=seed)
    if repeat:
        dataset = dataset.repeat()
    if batch_size is not None:
        dataset = dataset.batch(batch_size, drop_remainder=drop_remainder)
    if flip:
        dataset = _mirror_at_random(dataset, seed)
    return _finish(dataset, labels, sharded=shard is not None)


def _finish(dataset: tf.data.Dataset, labels: bool, sharded: bool) -> tf.data.Dataset:
    """Scale the images, drop the labels that nobody wants, and work ahead of the reader."""

    def scale(images: tf.Tensor, classes: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        return (from_uint8(images), classes) if labels else from_uint8(images)

    options = tf.data.Options()
    if sharded:  # tf.distribute would otherwise divide the part once more
        policy = tf.data.experimental.AutoShardPolicy.OFF
        options.experimental_distribute.auto_shard_policy = policy
    dataset = dataset.map(scale, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(options)


def _mirror_at_random(dataset: tf.data.Dataset, seed: int) -> tf.data.Dataset:
    """Mirror every image, or image of a batch, with probability 1/2, differently in each pass."""
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)

    def mirror(
        pair: tuple[tf.Tensor, tf.Tensor], pair_seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        images, classes = pair
        coins = tf.random.stateless_uniform(tf.shape(images)[:-3], pair_seed, alg="philox")
        heads = coins[..., tf.newaxis, tf.newaxis, tf.newaxis] < 0.5
        return tf.where(heads, tf.reverse(images, axis=[-2]), images), classes

    return tf.data.Dataset.zip((dataset, seeds)).map(mirror, num_parallel_calls=tf.data.AUTOTUNE)


def _part_size(count: int | None, index: int, workers: int) -> int | None:
    """Return how many of `count` images the index-th of several workers gets."""
    if count is None:
        return None
    if workers > count:
        raise ValueError(
            "`split` and `shard` must leave each worker at least one image, "
            f"received {count} images and {workers} workers"
        )
    return count // workers + (index < count % workers)


def _buffer_size(count: int | None, image_bytes: int, in_memory: bool) -> int:
    """Return how many images to shuffle among: all, or as many as a modest buffer holds."""
    if in_memory and count is not None:
        return count
    bounded = max(1, min(BUFFER_IMAGES, BUFFER_LIMIT // image_bytes))
    return bounded if count is None else min(count, bounded)


def _pixels(image_size: int | tuple[int, int]) -> int:
    return image_size**2 if isinstance(image_size, int) else image_size[0] * image_size[1]


def _check_ranges(
    batch_size: int | None,
    image_size: int | tuple[int, int] | None,
    shard: tuple[int, int] | None,
) -> None:
    sides = image_size if isinstance(image_size, tuple) else (image_size,)
    if len(sides) > 2 or (len(sides) < 2 and sides is image_size):
        raise ValueError(f"`image_size` must be a side or (height, width), received {image_size}")
    for argument, value in (("batch_size", batch_size), *(("image_size", side) for side in sides)):
        if value is not None and value < 1:
            raise ValueError(f"`{argument}` must be a positive number or None, received {value}")
    if shard is not None and not (len(shard) == 2 and 0 <= shard[0] < shard[1]):
        raise ValueError(
            f"`shard` must be (index, count) with 0 <= index < count, received {shard}"
        )


def _check_start(start: int, batch_size: int | None, repeat: bool) -> None:
    if start < 0 or (start and not (repeat and batch_size)):
        raise ValueError(
            "`start` must be 0, or the number of a batch when `repeat` and `batch_size` are given, "
            f"received {start}"
        )


def _check_a_batch_is_left(count: int | None, batch_size: int | None) -> None:
    if count is not None and count < (batch_size or 1):
        raise ValueError(
            f"`batch_size` must be at most the {count} images there are when `drop_remainder` is "
            f"True and `repeat` is False, received {batch_size}: there would be no batch at all"
        )


def _why_none(info: DataInfo) -> str:
    return next((note for note in info.notes if "no classes" in note), "it has no classes")


def _check_against(info: DataInfo, split: str, labels: bool, flip: bool | None) -> None:
    if split.split("[")[0] not in info.splits:
        raise ValueError(
            f"`split` of {info.name} must be one of {', '.join(info.splits)}, received {split!r}"
        )
    if labels and not info.num_classes:
        raise ValueError(f"`labels` must be False for {info.name}: {_why_none(info)}")
    if flip and info.flip is False:
        raise ValueError(f"`flip` must not be True for {info.name}: mirrored, they are no samples")
