"""Draw samples, as one picture and, if wanted, as an array.

For example:
  gddim-tf sample --model saved_models/digits_vp --count 100 --nfe 20 --out digits.png
  gddim-tf sample --model runs/digits --sampler "ddim(eta=1)" --nfe 50 --seed 7 --out noisy.png
"""

from __future__ import annotations

import argparse
import pathlib

from gddim_tf.cli.arguments import SAMPLERS, classes, named_sampler


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `sample`."""
    parser.add_argument("--model", required=True, help=".keras file, run or exported model")
    parser.add_argument("--out", default="samples.png", help="picture to write")
    parser.add_argument("--array", help="also write the images as uint8 .npy")
    parser.add_argument("--count", type=int, default=100, help="images")
    parser.add_argument("--sampler", default="default", help=SAMPLERS)
    parser.add_argument("--nfe", type=int, default=50, help="network evaluations per image")
    parser.add_argument("--seed", type=int, default=0, help="of the whole draw")
    parser.add_argument(
        "--labels",
        type=classes,
        help="classes, by name or number, separated by commas; one for each column of the picture",
    )
    parser.add_argument("--guidance", type=float, help="weight of the class, 1 is plain")
    parser.add_argument("--batch-size", type=int, default=256, help="images at a time")


def run(options: argparse.Namespace) -> None:
    """Sample and write the picture."""
    from gddim_tf.cli import pictures
    from gddim_tf.models import load

    model = load(options.model)
    images = model.sample(
        options.count,
        sampler=named_sampler(options.sampler),
        nfe=options.nfe,
        seed=options.seed,
        labels=pictures.labels_of(options.labels, options.count),
        guidance=options.guidance,
        batch_size=options.batch_size,
        progress=True,
    )
    titles = pictures.titles_of(options.labels, model.class_names)
    pictures.write(images, options.out, options.array, titles)
    print(f"{options.count} images at {options.nfe} NFE are in {options.out}")
    tables = sorted(pathlib.Path(options.model).glob("*/nfe_*.npz"))
    if tables and not options.sampler.startswith("tuned:"):
        folder = tables[0].parent
        print(f"by {options.sampler}; tuned tables: --sampler tuned:{folder} for few evaluations")
