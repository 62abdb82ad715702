"""Labels that a user gives for a draw: what they must be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def checked_labels(
    labels: ArrayLike | None, count: int, num_classes: int, class_names: Sequence[str]
) -> np.ndarray:
    """One label per image, `[count]` int32.

    Args:
      labels: one per image, or one for all; numbers, or names of classes.
      count: of the images.
      num_classes: of the model; the number itself means no class.
      class_names: of its classes, or nothing.

    Raises:
      ValueError: if the model has no classes, the labels are not whole numbers, one is out of
        range, or there are more or fewer than images.
    """
    given = np.asarray(labels)
    if given.dtype.kind == "U" and num_classes:
        given = _numbers(given, num_classes, class_names)
    if not num_classes:
        received = f"{given.tolist()!r:.40}"
        raise ValueError(f"`labels` must be None for a model without classes, received {received}")
    given = one_per_image(given, count)
    if np.any(wrong := (given < 0) | (given > num_classes)):
        raise ValueError(
            f"`labels` must be in [0, {num_classes}], {num_classes} for no class, "
            f"received {given[wrong][0]}"
        )
    return given.astype(np.int32)


def one_per_image(labels: np.ndarray, count: int) -> np.ndarray:
    """Whole numbers `[count]`, from as many or from one for all; raises a ValueError for others."""
    if labels.dtype.kind not in "iu" or labels.shape not in ((), (1,), (count,)):
        raise ValueError(
            f"`labels` must be whole numbers, one for all images or one for each of {count}, "
            f"received {labels.dtype.name} of shape {labels.shape}"
        )
    return np.broadcast_to(labels, (count,))


def _numbers(given: np.ndarray, num_classes: int, class_names: Sequence[str]) -> np.ndarray:
    """The numbers of classes that are given by name."""
    numbers = {name: number for number, name in enumerate(class_names)}
    if unknown := [name for name in given.flat if name not in numbers]:
        known = (
            ", ".join(class_names)
            or f"numbers, for this model knows no names of its {num_classes} classes"
        )
        raise ValueError(f"`labels` must be of {known}, received {str(unknown[0])!r}")
    return np.vectorize(numbers.__getitem__, otypes=[np.int32])(given)
