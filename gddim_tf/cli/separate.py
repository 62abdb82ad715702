"""A file for every image of a draw, named by what draws it again."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.data.pixels import as_uint8


def write_each(
    images: np.ndarray,
    folder: str,
    seed: int,
    labels: np.ndarray | None,
    class_names: Sequence[str],
) -> None:
    """Write `seed0-0007-three.png` and so on, each whole or not at all.

    Args:
      images: `[count, height, width, C]`, C of 1 or 3.
      folder: where; made if it is missing, and files of the same names are replaced.
      seed: of the draw.
      labels: None, or the class of each image, numbers or names.
      class_names: of the classes, or nothing.

    Raises:
      ValueError: if the images are neither grey nor RGB.
    """
    from PIL import Image

    pixels = as_uint8(images)
    if pixels.shape[-1] not in (1, 3):
        raise ValueError(f"`--each` needs grey or RGB images, received {pixels.shape[-1]} channels")
    width = max(4, len(str(len(pixels) - 1)))
    for index, image in enumerate(pixels):
        label = "" if labels is None else f"-{_in_a_name(labels[index], class_names)}"
        name = f"seed{seed}-{index:0{width}}{label}.png"
        with atomic_write(pathlib.Path(folder) / name) as draft:
            Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(draft)


def _in_a_name(label: int | str, class_names: Sequence[str]) -> str:
    """A class as part of a file's name."""
    if not isinstance(label, str) and label < len(class_names):
        label = class_names[label]
    return re.sub(r"[^\w.+-]+", "_", str(label))
