"""A picture of generated images beside the training images that they come closest to."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike

from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation.images import as_uint8, enlarged

_TEXT_HEIGHT = 22
_GAP = 4


def save_pairs(
    generated: ArrayLike,
    training: ArrayLike,
    distances: ArrayLike,
    path: str | os.PathLike[str],
) -> None:
    """Save pairs as columns: the generated image, the training image, their distance.

    Args:
        generated: [pairs, height, width, 1 or 3], uint8 or float in [-1, 1].
        training: of the same shape.
        distances: [pairs], what stands below.
        path: the picture; written atomically.

    Raises:
        TypeError: for an integer type other than uint8.
        ValueError: for shapes or numbers of pairs that differ, or NaN or infinite pixels.
    """
    from PIL import Image, ImageDraw, ImageFont

    above, below = as_uint8(generated, "generated"), as_uint8(training, "training")
    labels = [f"{distance:.3g}" for distance in np.asarray(distances)]
    if above.shape != below.shape or len(labels) != len(above) or not labels:
        raise ValueError(
            "`generated`, `training` and `distances` must be as many, of one shape, received "
            f"{above.shape}, {below.shape} and {len(labels)}"
        )
    tiles = [enlarged(images) for images in (above, below)]
    height, width = tiles[0].shape[1:3]
    size = (
        len(labels) * (width + _GAP) - _GAP,
        2 * (height + _GAP) + _TEXT_HEIGHT,
    )
    picture = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=14)
    for column, label in enumerate(labels):
        left = column * (width + _GAP)
        for row, images in enumerate(tiles):
            picture.paste(Image.fromarray(images[column]), (left, row * (height + _GAP)))
        draw.text((left, 2 * (height + _GAP)), label, fill="black", font=font)
    with atomic_write(path) as draft:
        picture.save(draft)
