"""From images on disk to the batches that a model trains on."""

from __future__ import annotations

import math
import os
import warnings

import tensorflow as tf

from gddim_tf.data.catalogue import find
from gddim_tf.data.data_info import DataInfo, DataNote
from gddim_tf.data.endless import endless_batches
from gddim_tf.data.pixels import from_uint8
from gddim_tf.data.request import Request
from gddim_tf.data.source import Selection, Source
from gddim_tf.image_size import sides

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

    Nothing is downloaded, see `prepare`. With the same arguments (and `tf.random.set_seed`, if any)
    a run gives the images of the last one; every pass shuffles and mirrors anew.

    Args:
      name: one of `names()`, `folder:PATH` of pictures, or `idx:PATH` of files in MNIST's format.
        `folder(background=black, channels=3):PATH` has transparent pictures before another colour
        than white, and grey ones as RGB.
      split: one of `info(name).splits`, or a part as TFDS writes it, "train[:1000]" (no folders).
      batch_size: images per batch; None gives single images.
      image_size: side in pixels, or (height, width); that of `info(name)` by default.
      labels: whether to give (images, labels) pairs rather than images alone.
      shuffle: whether to shuffle; by default the "train" split is, others are not.
      flip: whether to mirror left to right with probability 1/2; by default what
        `info(name).flip` says, when shuffled.
      seed: number that shuffling and mirroring start from.
      repeat: whether to begin again for ever; batches then run across the end of a pass.
      start: number of the first batch, to go on with `repeat` where a reader ended, in the order of
        one who never stopped if the images are kept in memory, else in another random one.
      drop_remainder: whether to leave out a last batch that is smaller than the others.
      shard: (index, count), one of count disjoint parts whose sizes differ by one image at most.
      data_dir: of the TFDS data sets; by default `GDDIM_TF_DATA_DIR`, or else TFDS's own.
      cache: whether to keep the decoded images in memory as uint8; by default up to 1 GiB.

    Returns:
      Images [batch, height, width, channels], or pairs with int32 labels [batch]; without the batch
      axis if `batch_size` is None.

    Raises:
      ValueError: if an argument is out of its range, or a file of an image folder is broken.
      FileNotFoundError: if the data set is not on disk; the message says how to prepare it.
    """
    source = find(name, data_dir)
    how = (shuffle, flip, seed, repeat, start, drop_remainder, shard, cache)
    request = Request(split, batch_size, image_size, labels, *how)
    info = source.info()
    request.check_against(info)
    for note in info.notes:
        warnings.warn(f"{name}: {note}", DataNote, stacklevel=2)
    return _finish(_pairs(source, info, request), labels, sharded=shard is not None)


def _pairs(source: Source, info: DataInfo, request: Request) -> tf.data.Dataset:
    """Shuffled, mirrored and batched (uint8 images, int32 labels)."""
    shuffle, flip, seed = request.shuffle, request.flip, request.seed
    if shuffle is None:
        shuffle = request.split.startswith("train")
    if flip is None:
        flip = shuffle and bool(info.flip)
    size = info.image_size if request.image_size is None else request.image_size
    count = request.part_of(source.count(request.split))
    image_bytes = math.prod(sides(size)) * info.channels
    cache = request.cache
    if cache is None:
        cache = count is not None and count * image_bytes <= MEMORY_LIMIT
    if not cache:
        seed += request.start
    order_of_files = seed if shuffle and not cache else None
    shard = request.shard or (0, 1)
    dataset = source.images(Selection(request.split, size, cache, shard, order_of_files))
    if request.repeat and cache and count and request.batch_size is not None:
        order = {"start": request.start, "shuffle": shuffle, "flip": flip, "seed": seed}
        return endless_batches(dataset, count, request.batch_size, **order)
    if shuffle:
        dataset = dataset.shuffle(_buffer_size(count, image_bytes, cache), seed=seed)
    if request.repeat:
        dataset = dataset.repeat()
    if request.batch_size is not None:
        dataset = dataset.batch(request.batch_size, drop_remainder=request.drop_remainder)
    return _mirror_at_random(dataset, seed) if flip else dataset


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


def _buffer_size(count: int | None, image_bytes: int, in_memory: bool) -> int:
    """Return how many images to shuffle among: all, or as many as a modest buffer holds."""
    if in_memory and count is not None:
        return count
    bounded = max(1, min(BUFFER_IMAGES, BUFFER_LIMIT // image_bytes))
    return bounded if count is None else min(count, bounded)
