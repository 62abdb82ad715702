"""From images to activations, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from tqdm import tqdm

from gddim_tf.checks import whole
from gddim_tf.data.image_batches import Images, image_batches
from gddim_tf.evaluation.extractor import ImageFeatures
from gddim_tf.evaluation.statistics import ActivationStatistics

Extractor = Callable[[np.ndarray], np.ndarray]


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

    Args:
      extractor: any function from uint8 images to activations [batch, dimension].
      images: [count, height, width, channels], uint8 or float in [-1, 1]; or a finite dataset.
      batch_size: images per call; a batched dataset keeps its own.
      progress: show a progress bar.

    Raises:
      TypeError: for images of another type.
      ValueError: for an endless dataset, no images at all, NaN or infinite pixels.
    """
    batches = activations(extractor, images, batch_size, progress)
    statistics = ActivationStatistics.of(next(batches))
    for batch in batches:
        statistics.update(batch)
    return statistics


def logits_of(extractor: ImageFeatures, images: Images) -> np.ndarray | None:
    """Logits `[count, classes]` of all images; None of an extractor that has none."""
    logits = getattr(extractor, "logits", None)
    return None if logits is None else extract(logits, images, progress=False)


def activations(
    extractor: Extractor,
    images: Images,
    batch_size: int = 64,
    progress: bool = True,
) -> Iterator[np.ndarray]:
    """Activations of one batch after the other, [at most batch_size, dimension]; at least one.

    Raises:
      TypeError: for images of another type.
      ValueError: for an endless dataset, no images at all, NaN or infinite pixels.
    """
    whole("batch_size", batch_size, 1)
    batches, total = image_batches(images, batch_size)
    seen = False
    for batch in tqdm(batches, "features", total, unit="batch", disable=not progress):
        yield extractor(batch)
        seen = True
    if not seen:
        raise ValueError("`images` must hold at least one image, received none")
