"""What the commands that draw images have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation.images import as_uint8, save_grid


def labels_of(classes: Sequence[int] | None, count: int) -> np.ndarray | None:
    """One class per image, `[count]`: the given ones in turn; None without."""
    return None if classes is None else np.resize(classes, count)


def write(images: np.ndarray, picture: str, array: str | None) -> None:
    """Write a picture of all images and, if wanted, the images as uint8 .npy."""
    save_grid(images, picture)
    if array:
        with atomic_write(array) as draft, draft.open("wb") as file:
            np.save(file, as_uint8(images))
