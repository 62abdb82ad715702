"""Draw the way from one picture to another, as a strip.

Both are encoded to noise, the noise goes from one to the other, and is decoded.

For example:
  gddim-tf interpolate --model saved_models/digits_vp --image three.png eight.png --out way.png
"""

from __future__ import annotations

import argparse

from gddim_tf.cli.arguments import named_sampler
from gddim_tf.cli.drawing_arguments import DRAWN, add_drawing_arguments, guidance_of

WRITES = DRAWN


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `interpolate`."""
    add_drawing_arguments(parser, "interpolated.png", "a single one, of the whole way")
    parser.add_argument(
        "--image", nargs=2, required=True, help="first and last picture; any size is fitted"
    )
    parser.add_argument("--steps", type=int, default=8, help="images, with both ends")


def run(options: argparse.Namespace) -> None:
    """Interpolate and write the picture."""
    from gddim_tf.cli import pictures
    from gddim_tf.models import load

    model = load(options.model)
    first, last = pictures.read(options.image, model.image_shape)
    frames = model.interpolate(
        first[None],
        last[None],
        options.steps,
        named_sampler(options.sampler),
        options.nfe,
        seed=options.seed,
        labels=options.labels,
        guidance=guidance_of(options),
        batch_size=options.batch_size,
        progress=True,
    )[:, 0]
    pictures.write_edited(frames, options.out, options.array, len(frames))
    each = f"{options.nfe} evaluations each"
    print(f"{len(frames)} images, both ends among them, of {each} are in {options.out}")
