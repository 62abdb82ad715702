"""A picture of generated images beside the training images that they come closest to."""

from __future__ import annotations

import os

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation.images import enlarged
from gddim_tf.evaluation.memorisation import MemorisationReport

_TEXT_HEIGHT = 22
_GAP = 4


def save_closest_pairs(
    generated: np.ndarray,
    training: np.ndarray,
    report: MemorisationReport,
    path: str | os.PathLike[str],
) -> None:
    """Save the closest pairs of a report as columns: generated, training image, distance.

    Args:
        generated: uint8 [count, height, width, 1 or 3], of which the report is.
        training: likewise.
        report: see `memorisation_report`.
        path: the picture; written atomically.
    """
    from PIL import Image, ImageDraw, ImageFont

    mine, theirs = report.closest_pairs.T
    labels = [f"{distance:.3g}" for distance in report.generated_distances[mine]]
    tiles = [enlarged(generated[mine]), enlarged(training[theirs])]
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
