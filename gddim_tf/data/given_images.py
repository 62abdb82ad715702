"""Images and labels that a user gives as arrays or as a dataset: what they must be."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.data.pixels import to_uint8

_LARGEST = 2**33  # bytes that a data set may take in memory
_MOST_CLASSES = 2**20
# What a user gives: images, a pair of images and labels, or a dataset of either.
Given = ArrayLike | tuple[ArrayLike, ArrayLike] | tf.data.Dataset
# Resizing overshoots [-1, 1] a little; other scales are far beyond.
_LARGEST_PIXEL = 1.5


def images_and_labels(told: str, given: Given) -> tuple[np.ndarray, np.ndarray | None]:
    """Images as uint8 `[count, height, width, channels]` and labels as int32 `[count]`.

    Args:
      told: whose they are, for the message.
      given: images, a pair of images and labels, or a dataset of either; see `data.add`.

    Raises:
      ValueError: if something is of another kind, shape or range, or too large.
    """
    if isinstance(given, tf.data.Dataset):
        images, labels = _gathered(told, given)
    else:
        images, labels = given if isinstance(given, tuple) else (given, None)
    images = _checked_images(told, np.asarray(images))
    return images, None if labels is None else _checked_labels(told, np.asarray(labels), images)


def _gathered(told: str, dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray | None]:
    """What is in a finite dataset of single images or pairs of image and label, as bytes."""
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("a dataset to add must be finite, received an endless one (`repeat`)")
    images, labels, size = [], [], 0
    lowest, highest, kind = np.inf, -np.inf, np.dtype(np.uint8)
    for element in dataset.as_numpy_iterator():
        image, label = element if isinstance(element, tuple) else (element, None)
        if image.dtype != np.uint8:
            kind = _check_kind(told, image.dtype)
            # NaN, if there is one, stays
            lowest = np.minimum(lowest, image.min(initial=np.inf))
            highest = np.maximum(highest, image.max(initial=-np.inf))
            image = to_uint8(image).numpy()
        images.append(image if image.ndim == 4 else image[np.newaxis])
        labels.append(label if label is None else np.reshape(label, -1))
        size += image.nbytes
        _check_size(size)
    if not images:
        raise ValueError("a dataset to add must hold images, received an empty one")
    if kind != np.uint8:
        _check_range(told, kind, lowest, highest)
    together = None if labels[0] is None else np.concatenate(labels)
    return np.concatenate(images), together


def _check_size(size: int) -> None:
    if size > _LARGEST:
        raise ValueError(
            f"arrays must take at most {_LARGEST // 2**30} GiB, received more: write pictures and "
            "read them as `folder:PATH`"
        )


def _checked_images(told: str, images: np.ndarray) -> np.ndarray:
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise ValueError(
            f"images of {told} must have shape [count, height, width] or [count, height, width, 1 "
            f"or 3], received {images.shape}"
        )
    if images.dtype == np.uint8:
        return images
    _check_kind(told, images.dtype)
    _check_range(told, images.dtype, images.min(), images.max())
    return to_uint8(images).numpy()


def _check_kind(told: str, dtype: np.dtype) -> np.dtype:
    if dtype.kind != "f":
        raise ValueError(
            f"images of {told} must be uint8, or float in [-1, 1], received {dtype.name}"
        )
    return dtype


def _check_range(told: str, dtype: np.dtype, lowest: float, highest: float) -> None:
    # false for NaN
    if dtype.kind != "f" or not (lowest >= -_LARGEST_PIXEL and highest <= _LARGEST_PIXEL):
        raise ValueError(
            f"images of {told} must be uint8, or float in [-1, 1], received {dtype.name} from "
            f"{lowest:g} to {highest:g}"
        )
    if lowest >= 0:
        raise ValueError(
            f"images of {told} must be uint8, or float in [-1, 1], received nothing below 0: "
            "2 * images - 1 brings [0, 1] there"
        )


def _checked_labels(told: str, labels: np.ndarray, images: np.ndarray) -> np.ndarray:
    labels = labels[:, 0] if labels.shape == (len(images), 1) else labels
    if labels.dtype.kind not in "iu" or labels.shape != (len(images),):
        raise ValueError(
            f"labels of {told} must be whole numbers from 0 on, one for each of {len(images)} "
            f"images, received {labels.dtype.name} of shape {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= _MOST_CLASSES:
        raise ValueError(
            f"labels of {told} must be whole numbers from 0 on and below {_MOST_CLASSES}, received "
            f"{labels.min()} to {labels.max()}"
        )
    return labels.astype(np.int32)
