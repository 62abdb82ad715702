"""Images in whatever form they are given, as batches of bytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from gddim_tf.data.pixels import as_uint8

Images = np.ndarray | tf.Tensor | tf.data.Dataset


def image_batches(images: Images, size: int) -> tuple[Iterator[np.ndarray], int | None]:
    """Batches of uint8 images without labels, and how many there are, if that is known.

    Args:
      images: [count, height, width, channels], uint8 or float in [-1, 1]; or a finite dataset of
        such images or (images, labels) pairs, in batches or one by one.
      size: images per batch; a batched dataset keeps its own.

    Raises:
      TypeError: for images of another type, while they are read.
      ValueError: for an endless dataset; for NaN or infinite pixels, while they are read.
    """
    if isinstance(images, tf.data.Dataset):
        batches, count = _of_dataset(images, size)
    else:
        starts = range(0, len(images), size)
        batches, count = (images[start : start + size] for start in starts), len(starts)
    return map(as_uint8, batches), count if count >= 0 else None


def _of_dataset(
    dataset: tf.data.Dataset, size: int
) -> tuple[Iterator[np.ndarray | tf.Tensor], int]:
    """The batches of a dataset without its labels, and how many; below 0 if that is unknown."""
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("`images` must be a finite dataset, received one that repeats for ever")
    if isinstance(dataset.element_spec, tuple):
        dataset = dataset.map(lambda images, *_: images)
    if dataset.element_spec.shape.rank == 3:
        dataset = dataset.batch(size)
    return dataset.as_numpy_iterator(), int(dataset.cardinality())
