"""Draw what is missing in pictures.

The mask is white where a picture is known and stays, black where it is drawn. A single result is
written as it is, several as a grid, the variations of a picture in a row.

For example:
  gddim-tf inpaint --model saved_models/digits_vp --image three.png --mask half.png --out whole.png
  gddim-tf inpaint --model runs/mine --image photo.png --mask hole.png --count 4 --nfe 100
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np

from gddim_tf.cli.drawing_arguments import DRAWN
from gddim_tf.cli.variations import add_variation_arguments, draw_variations

if TYPE_CHECKING:
    from gddim_tf.models import GenerativeModel

WRITES = DRAWN


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `inpaint`."""
    add_variation_arguments(parser, "inpainted.png")
    parser.add_argument(
        "--mask", required=True, help="picture, white where what is there stays; fitted likewise"
    )


def run(options: argparse.Namespace) -> None:
    """Inpaint and write the picture."""
    from gddim_tf.cli import pictures

    def inpaint(model: GenerativeModel, images: np.ndarray, how: dict[str, Any]) -> np.ndarray:
        known = pictures.read([options.mask], (*model.image_shape[:2], 1))[0] > 0
        print(f"{1 - known.mean():.0%} of each picture is drawn")
        return model.inpaint(images, known, **how)

    draw_variations(options, inpaint)
