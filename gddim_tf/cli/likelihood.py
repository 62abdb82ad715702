"""Bits per dimension of real images under a model, as JSON.

For example:
  gddim-tf likelihood --model saved_models/digits_vp --data digits --levels 17 --conditional
  gddim-tf likelihood --model runs/digits --data digits --levels 17 --probes 1 --out bits.json
"""

from __future__ import annotations

import argparse

from gddim_tf.outputs import Output

WRITES = {"--out": Output.FILE}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `likelihood`."""
    parser.add_argument("--model", required=True, help=".keras file, run or exported model")
    parser.add_argument("--out", help="JSON file to write besides printing")
    parser.add_argument("--data", help="name of the data set; by default that of the run")
    parser.add_argument("--split", default="test", help="split of the data set")
    parser.add_argument("--count", type=int, help="only the first images of the split")
    parser.add_argument(
        "--levels", type=int, default=256, help="grey levels of the data; digits have 17"
    )
    parser.add_argument("--conditional", action="store_true", help="given the class of each image")
    parser.add_argument(
        "--probes", type=int, help="of the trace; 0 is exact, as by default for small images"
    )
    parser.add_argument("--tolerance", type=float, default=1e-5, help="of the solver's steps")
    parser.add_argument("--start", type=float, help="time of the data; t_min by default")
    parser.add_argument("--seed", type=int, default=0, help="of the noise that dequantises")
    parser.add_argument("--batch-size", type=int, default=100, help="images at a time")


def run(options: argparse.Namespace) -> None:
    """Measure, print and write."""
    import json

    from gddim_tf.atomic import atomic_write
    from gddim_tf.cli.run_of_model import data_of
    from gddim_tf.evaluation.likelihood_report import split_bits_per_dim
    from gddim_tf.models import load
    from gddim_tf.samplers import RK45

    model = load(options.model)
    report = split_bits_per_dim(
        model,
        data_of(options.model, options.data, model.image_shape),
        options.split,
        count=options.count,
        conditional=options.conditional,
        batch_size=options.batch_size,
        levels=options.levels,
        probes=options.probes,
        seed=options.seed,
        start=options.start,
        solver=RK45(rtol=options.tolerance, atol=options.tolerance),
        progress=True,
    )
    text = json.dumps({"model": options.model, **report}, indent=2) + "\n"
    print(text, end="")
    if options.out:
        with atomic_write(options.out) as draft:
            draft.write_text(text)
