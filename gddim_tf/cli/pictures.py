"""What the commands that draw images have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation.images import as_uint8, save_grid


def labels_of(classes: Sequence[int] | Sequence[str] | None, count: int) -> np.ndarray | None:
    """One class per image, `[count]`: the given ones in turn; None without."""
    return None if classes is None else np.resize(classes, count)


def titles_of(
    classes: Sequence[int] | Sequence[str] | None, names: Sequence[str]
) -> list[str] | None:
    """What stands above the columns of a picture, one for each of several classes; None without."""
    if classes is None or len(classes) < 2:
        return None
    return [
        names[value] if isinstance(value, int) and value < len(names) else str(value)
        for value in classes
    ]


def write(
    images: np.ndarray, picture: str, array: str | None, titles: Sequence[str] | None = None
) -> None:
    """Write a picture of all images and, if wanted, the images as uint8 .npy.

    Args:
      images: `[count, height, width, C]`.
      picture: the file.
      array: None, or another file.
      titles: None, or the title of each column, in which images follow each other.
    """
    save_grid(images, picture, columns=len(titles) if titles else None, titles=titles)
    if array:
        with atomic_write(array) as draft, draft.open("wb") as file:
            np.save(file, as_uint8(images))
