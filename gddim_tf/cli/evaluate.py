"""Measure samplers: Frechet and kernel distance to the real images, and the time they take.

For example:
  gddim-tf evaluate --model runs/digits --data digits --samplers ddim --nfe 10,20,50 \
      --count 1500 --out runs/digits/evaluation
"""

from __future__ import annotations

import argparse
import pathlib


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `evaluate`."""
    parser.add_argument("--model", required=True, help=".keras file, run or exported model")
    parser.add_argument("--out", required=True, help="folder for images, results.json, results.md")
    parser.add_argument("--data", default="digits", help="real images to compare with")
    parser.add_argument("--split", default="test", help="split of the real images")
    parser.add_argument("--floor-split", default="train", help="split for the real-to-real floor")
    parser.add_argument(
        "--samplers", default="ddim", help='names, separated by semicolons: "ddim; ddim(eta=1)"'
    )
    parser.add_argument("--nfe", default="50", help="budgets, separated by commas")
    parser.add_argument("--count", type=int, default=1500, help="images per sampler and budget")
    parser.add_argument("--features", default="digits", help="digits, inception or inception:PATH")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-size", type=int, default=500)


def run(options: argparse.Namespace) -> None:
    """Generate what is missing, measure, write and print the table."""
    from gddim_tf.cli.models import open_model
    from gddim_tf.evaluation.compare import compare
    from gddim_tf.samplers.parse import parse

    report = compare(
        open_model(options.model),
        [parse(name) for name in options.samplers.split(";")],
        [int(nfe) for nfe in options.nfe.split(",")],
        dataset=options.data,
        split=options.split,
        floor_split=options.floor_split,
        features=options.features,
        count=options.count,
        seed=options.seed,
        batch_size=options.batch_size,
        directory=pathlib.Path(options.out),
        settings={"model": options.model},
    )
    report.write(options.out)
    print(report.markdown())
