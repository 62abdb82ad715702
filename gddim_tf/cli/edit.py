"""Draw variations of pictures: noise is added and taken away again.

A single result is written as it is, several as a grid, the variations of a picture in a row.

For example:
  gddim-tf edit --model saved_models/digits_vp --image three.png --strength 0.6 --out new.png
  gddim-tf edit --model runs/mine --image a.png b.png --count 4 --labels cat --guidance 2
"""

from __future__ import annotations

import argparse

from gddim_tf.cli.drawing_arguments import DRAWN
from gddim_tf.cli.variations import add_variation_arguments, draw_variations

WRITES = DRAWN


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `edit`."""
    add_variation_arguments(parser, "edited.png")
    parser.add_argument(
        "--strength",
        type=float,
        default=0.5,
        help="above 0; the less, the more of a picture is kept, 1 keeps nothing of it",
    )


def run(options: argparse.Namespace) -> None:
    """Edit and write the picture."""
    draw_variations(options, lambda model, images, how: model.edit(images, options.strength, **how))
