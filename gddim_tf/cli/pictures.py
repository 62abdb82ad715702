"""What the commands that draw images have in common."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.data.image_file import decode, read_header
from gddim_tf.data.pictures import save_grid
from gddim_tf.data.pixels import as_uint8


def read(files: Sequence[str], shape: tuple[int, int, int]) -> np.ndarray:
    """Pictures as a model takes them, and a line for each that is not of its size.

    Args:
      files: the pictures.
      shape: `(height, width, C)` of the model.

    Returns:
      `[count, height, width, C]` float32 in [-1, 1].

    Raises:
      ValueError: if a file is no picture, or the model takes other than grey or RGB.
    """
    if shape[-1] not in (1, 3):
        raise ValueError(f"the model must take grey or RGB, received one of {shape[-1]} channels")
    images = []
    for file in map(pathlib.Path, files):
        header = read_header(file)
        if (header.height, header.width) != shape[:2]:
            print(
                f"{file} of {header.width} x {header.height} pixels is cut to its middle and "
                f"resized to {shape[1]} x {shape[0]}, as in training"
            )
        images.append(decode(file, shape[:2], shape[-1], "white"))
    return np.stack(images).astype(np.float32) / 127.5 - 1


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


def write_edited(
    images: np.ndarray, picture: str, array: str | None, columns: int | None = None
) -> None:
    """Write edited images: a single one as it is, to be edited again, several as a grid.

    Args:
      images: `[count, height, width, C]`.
      picture: the file.
      array: None, or another file.
      columns: images in a row; None for about as many as there are rows.
    """
    save_grid(images, picture, columns=columns, scale=1 if len(images) == 1 else None)
    _write_array(images, array)


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
    _write_array(images, array)


def _write_array(images: np.ndarray, array: str | None) -> None:
    if array:
        with atomic_write(array) as draft, draft.open("wb") as file:
            np.save(file, as_uint8(images))
