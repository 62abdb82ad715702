"""What the commands that draw variations of pictures have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gddim_tf.checks import whole
from gddim_tf.cli.arguments import named_sampler
from gddim_tf.cli.drawing_arguments import add_drawing_arguments, guidance_of

if TYPE_CHECKING:
    from gddim_tf.models import GenerativeModel


def add_variation_arguments(parser: argparse.ArgumentParser, out: str) -> None:
    """The options of drawing, the pictures, and how many variations of each."""
    add_drawing_arguments(parser, out, "for the pictures in turn")
    parser.add_argument("--image", nargs="+", required=True, help="pictures; any size is fitted")
    parser.add_argument("--count", type=int, default=1, help="variations of each picture")


def draw_variations(
    options: argparse.Namespace,
    edit: Callable[[GenerativeModel, np.ndarray, dict[str, Any]], np.ndarray],
) -> None:
    """Read the pictures, draw, and write the result.

    Args:
      options: those of `add_variation_arguments`.
      edit: from the model, the images (each as often as it has variations) and the other arguments
        of an edit to its result.
    """
    from gddim_tf.cli import pictures
    from gddim_tf.models import load

    count, model = whole("count", options.count, 1), load(options.model)
    images = pictures.read(options.image, model.image_shape)
    labels = pictures.labels_of(options.labels, len(images))
    how = {
        "sampler": named_sampler(options.sampler),
        "nfe": options.nfe,
        "seed": options.seed,
        "labels": None if labels is None else np.repeat(labels, count),
        "guidance": guidance_of(options),
        "batch_size": options.batch_size,
        "progress": True,
    }
    drawn = edit(model, np.repeat(images, count, axis=0), how)
    pictures.write_edited(drawn, options.out, options.array, None if count == 1 else count)
    print(f"{len(drawn)} images of {options.nfe} evaluations each are in {options.out}")
