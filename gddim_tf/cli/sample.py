"""Draw samples, as one picture and, if wanted, as an array or a file each.

For example:
  gddim-tf sample --model saved_models/digits_vp --count 100 --nfe 20 --out digits.png
  gddim-tf sample --model runs/digits --sampler "ddim(eta=1)" --nfe 50 --seed 7 --out noisy.png
  gddim-tf sample --model saved_models/digits_vp --labels 0,1,2 --count 300 --each digits
"""

from __future__ import annotations

import argparse
import pathlib

from gddim_tf.cli.arguments import named_sampler
from gddim_tf.cli.drawing_arguments import DRAWN, add_drawing_arguments, guidance_of
from gddim_tf.outputs import Output

WRITES = {**DRAWN, "--steps-picture": Output.PICTURE, "--each": Output.FOLDER}
# Of the picture of the steps.
_ROWS, _COLUMNS = 4, 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `sample`."""
    add_drawing_arguments(parser, "samples.png", "one for each column of the picture")
    parser.add_argument(
        "--steps-picture", help="also draw the way of the first images, a row each, noise first"
    )
    parser.add_argument("--count", type=int, default=100, help="images")
    parser.add_argument(
        "--each",
        metavar="FOLDER",
        help="also write every image as a PNG file of its own, named by seed and class",
    )


def run(options: argparse.Namespace) -> None:
    """Sample and write the picture."""
    import numpy as np

    from gddim_tf.cli import pictures, separate
    from gddim_tf.data.pictures import save_strip
    from gddim_tf.models import load

    model = load(options.model)
    labels = pictures.labels_of(options.labels, options.count)
    images = model.sample(
        options.count,
        sampler=named_sampler(options.sampler),
        nfe=options.nfe,
        seed=options.seed,
        labels=labels,
        guidance=guidance_of(options),
        batch_size=options.batch_size,
        progress=True,
    )
    titles = pictures.titles_of(options.labels, model.class_names)
    pictures.write(images, options.out, options.array, titles)
    if options.steps_picture:
        few = min(options.count, _ROWS)
        states = model.path(
            few,
            named_sampler(options.sampler),
            options.nfe,
            options.seed,
            pictures.labels_of(options.labels, few),
            guidance_of(options),
        )
        shown = np.unique(np.linspace(0, options.nfe, _COLUMNS).round().astype(int))
        save_strip(states[shown], options.steps_picture)
    if options.each:
        separate.write_each(images, options.each, options.seed, labels, model.class_names)
    print(f"{options.count} images of {options.nfe} evaluations each are in {options.out}")
    tables = sorted(pathlib.Path(options.model).glob("*/nfe_*.npz"))
    if tables and not options.sampler.startswith("tuned:"):
        folder = tables[0].parent
        print(f"by {options.sampler}; tuned tables: --sampler tuned:{folder} for few evaluations")
