"""Images and labels that a model is given: what they must be, said in words."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# Resizing and noise overshoot [-1, 1] a little; other scales, such as [0, 255], are far beyond.
LARGEST_PIXEL = 1.5


def check_kind(images: Any, shape: tuple[int, int, int], what: str) -> None:
    """Refuse images by their type and shape alone.

    Args:
      images: an array or tensor, also one of a graph.
      shape: `(height, width, C)`, what the network takes.
      what: name of the images, for the message.

    Raises:
      ValueError: if they are not float, or not `[batch, height, width, C]`.
    """
    if not hasattr(images, "dtype"):
        raise ValueError(f"{what} must be an array, received {type(images).__name__}")
    dtype = tf.as_dtype(images.dtype)
    received = tuple(images.shape)
    wanted = f"{what} must be [batch, {', '.join(map(str, shape))}]"
    if received == shape:
        raise ValueError(f"{wanted}, received a single image {_told(received)}; batch the data set")
    if len(received) != 4 or any(
        given not in (None, side) for given, side in zip(received[1:], shape, strict=True)
    ):
        raise ValueError(f"{wanted}, received {_told(received)}")
    if received[0] == 0:
        raise ValueError(f"{wanted}, received none")
    if not dtype.is_floating:
        raise ValueError(
            f"{what} must be float in [-1, 1] (data.from_uint8 makes them so), received "
            f"{dtype.name}"
        )


def check_images(images: Any, shape: tuple[int, int, int], what: str) -> tf.Tensor:
    """Images in [-1, 1] for a network, as float32.

    Args:
      images: `[batch, height, width, C]`, also of a graph.
      shape: `(height, width, C)`, what the network takes.
      what: name of the images, for the message.

    Returns:
      The images.

    Raises:
      ValueError: if they are not float or not of this shape, or a pixel is NaN, infinite or beyond
        1.5 in absolute value; running a graph ends in an InvalidArgumentError at NaN and infinity
        only, so that a loop may see its loss grow.
    """
    if not hasattr(images, "dtype"):
        images = np.asarray(images)
    check_kind(images, shape, what)
    images = tf.cast(images, tf.float32)
    if tf.executing_eagerly():
        _check_range(images.numpy(), what)
        return images
    return tf.debugging.assert_all_finite(images, f"{what} must be finite, received NaN or Inf")


def _check_range(images: np.ndarray, what: str) -> None:
    """Refuse pixels that cannot be of images in [-1, 1], and warn of those that seem not to be."""
    lowest, highest = images.min(initial=1), images.max(initial=0)  # NaN if one is
    if not np.isfinite([lowest, highest]).all():
        raise ValueError(f"{what} must be finite, received NaN or Inf")
    largest = max(highest, -lowest)
    if largest > LARGEST_PIXEL:
        raise ValueError(
            f"{what} must be in [-1, 1], received pixels up to {largest:g}; divide by 127.5 and "
            "subtract 1 if they are in [0, 255]"
        )
    if lowest >= 0 and largest > 0:
        warnings.warn(
            f"{what} should be in [-1, 1], where -1 is black, and have no pixel below 0; take "
            "2 x - 1 if they are in [0, 1]",
            stacklevel=4,
        )


def check_first_batch(x: Any, y: Any, shape: tuple[int, int, int], num_classes: int) -> Any:
    """Look at the first images and labels that `fit` or `evaluate` is given, before they run.

    Args:
      x: arrays, of which all are looked at; or batches, as a `tf.data.Dataset`, a generator or a
        `keras.utils.PyDataset`. Distributed data sets are taken as they are.
      y: labels beside an array, or None.
      shape: of the images that the network takes.
      num_classes: of the network, 0 without.

    Returns:
      What takes the place of `x`.

    Raises:
      ValueError: if the images are of another type, shape or range, or the labels missing, one-hot,
        no whole numbers or out of range.
    """
    if x is None or isinstance(x, list | dict | str):
        x = np.asarray(x)
    if isinstance(x, np.ndarray | tf.Tensor):
        _check_batch(x, y, shape, num_classes)
    elif isinstance(x, keras.utils.PyDataset):
        _check_batch(*_parts(x[0]), shape, num_classes)
    elif isinstance(x, tf.data.Dataset):
        check_kind(_parts(x.element_spec)[0], shape, "training images")
        for first in x.take(1):
            _check_batch(*_parts(first), shape, num_classes)
            return x
        raise ValueError("training images must be at least one batch, received none")
    elif isinstance(x, types.GeneratorType):
        first = next(x, None)
        _check_batch(*_parts(first), shape, num_classes)
        return _put_back(first, x)
    return x


def _parts(batch: Any) -> tuple[Any, Any]:
    """Images and labels of a batch, or of its description; None without labels."""
    if not isinstance(batch, tuple):
        return batch, None
    return batch[0], batch[1] if len(batch) > 1 else None


def _put_back(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from others


def _check_batch(x: Any, y: Any, shape: tuple[int, int, int], num_classes: int) -> None:
    check_kind(x, shape, "training images")
    _check_range(np.asarray(x), "training images")
    if num_classes:
        _check_labels(y, len(x), num_classes)


def _check_labels(labels: Any, count: int, num_classes: int) -> None:
    wanted = f"training labels must be whole numbers [batch] in [0, {num_classes}]"
    if labels is None:
        raise ValueError(
            f"{wanted} for a network of {num_classes} classes, received images alone; give "
            "(images, labels), or train a network with num_classes=0"
        )
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == num_classes:
        raise ValueError(f"{wanted}, received one-hot rows {labels.shape}; take their argmax")
    kind = labels.dtype.kind
    whole = kind in "iu" or (kind == "f" and (labels == np.round(labels)).all())
    if labels.size != count or labels.shape[:1] != (count,) or not whole:
        raise ValueError(
            f"{wanted}, received {labels.dtype.name} {labels.shape} for {count} images"
        )
    if labels.min(initial=0) < 0 or labels.max(initial=0) > num_classes:
        raise ValueError(f"{wanted}, received {labels.min():g} to {labels.max():g}")


def kept_labels(
    labels: tf.Tensor | None, keep: tf.Tensor | None, num_classes: int
) -> tf.Tensor | None:
    """Labels for the network, some of them replaced by the one that means no class.

    Args:
      labels: None, or classes `[batch]`.
      keep: None for all, or `[batch]` bool, which to keep.
      num_classes: of the network, 0 without.

    Returns:
      None without classes or labels, or `[batch]` int32.

    Raises:
      InvalidArgumentError: if a label is out of range.
    """
    if labels is None or not num_classes:
        return None
    labels = tf.reshape(tf.cast(labels, tf.int32), [-1])
    message = f"training labels must be in [0, {num_classes}]"
    checks = [
        tf.debugging.assert_non_negative(labels, message=message),
        tf.debugging.assert_less_equal(labels, num_classes, message=message),
    ]
    with tf.control_dependencies(checks):
        labels = tf.identity(labels)
    return labels if keep is None else tf.where(keep, labels, num_classes)


def _told(shape: tuple[int | None, ...]) -> str:
    """A shape in words, without None where a data set leaves a side open."""
    sides = ["any number" if side is None else str(side) for side in shape]
    return f"({', '.join(sides)})"
