"""From images to activations, batch by batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from gddim_tf.data.pixels import as_uint8
from gddim_tf.evaluation.statistics import ActivationStatistics

Extractor = Callable[[np.ndarray], np.ndarray]
Images = np.ndarray | tf.Tensor | tf.data.Dataset


def extract(
    extractor: Extractor,
    images: Images,
    batch_size: int = 64,
    progress: bool = True,
) -> np.ndarray:
    """Activations of all images in one matrix, [count, dimension].

    Args:
      extractor: a feature extractor, its `logits` method, or any function from uint8 images
        [batch, height, width, channels] to [batch, dimension].
      images: [count, height, width, channels], uint8 or float in [-1, 1]; or a finite dataset of
        such images or (images, labels) pairs, in batches or one by one.
      batch_size: images per call; a batched dataset keeps its own.
      progress: show a progress bar.

    Raises:
      TypeError: for images of another type.
      ValueError: for an endless dataset, no images at all, NaN or infinite pixels.

    Examples:
      >>> brightness = lambda images: images.mean((1, 2, 3))[:, None]
      >>> extract(brightness, np.ones((2, 4, 4, 1)), progress=False).tolist()
      [[255.0], [255.0]]
    """
    return np.concatenate(list(activations(extractor, images, batch_size, progress)))


def extract_statistics(
    extractor: Extractor,
    images: Images,
    batch_size: int = 64,
    progress: bool = True,
) -> ActivationStatistics:
    """Statistics of the activations of all images, in memory that does not grow with their number.

    Arguments and errors are those of `extract`.
    """
    batches = activations(extractor, images, batch_size, progress)
    first = next(batches)
    statistics = ActivationStatistics(first.shape[1])
    statistics.update(first)
    for batch in batches:
        statistics.update(batch)
    return statistics


def activations(
    extractor: Extractor,
    images: Images,
    batch_size: int = 64,
    progress: bool = True,
) -> Iterator[np.ndarray]:
    """Activations of one batch after the other, [at most batch_size, dimension]; at least one.

    Arguments and errors are those of `extract`.
    """
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be at least 1, received {batch_size}")
    if isinstance(images, tf.data.Dataset):
        batches, total = _dataset_batches(images, batch_size)
    else:
        count = len(images)
        batches = (images[start : start + batch_size] for start in range(0, count, batch_size))
        total = math.ceil(count / batch_size)
    seen = False
    for batch in tqdm(batches, "features", total, unit="batch", disable=not progress):
        yield extractor(as_uint8(batch))
        seen = True
    if not seen:
        raise ValueError("`images` must hold at least one image, received none")


def _dataset_batches(
    dataset: tf.data.Dataset, batch_size: int
) -> tuple[Iterator[np.ndarray], int | None]:
    """Batches of images without labels, and how many there are if that is known."""
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("`images` must be a finite dataset, received one that repeats for ever")
    if isinstance(dataset.element_spec, tuple):
        dataset = dataset.map(lambda images, *_: images)
    if dataset.element_spec.shape.rank == 3:
        dataset = dataset.batch(batch_size)
    count = int(dataset.cardinality())
    return dataset.as_numpy_iterator(), count if count >= 0 else None
