"""Write a SavedModel in TF Serving's layout, with one signature per sampler and budget.

For example:
  gddim-tf export --model runs/digits --sampler ddim --nfe 10,50 --out saved_models/digits_vp
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    parser.add_argument("--model", required=True, help=".keras file or run")
    parser.add_argument("--out", required=True, help="folder of the versions of the model")
    parser.add_argument("--sampler", default="ddim", help="name, with arguments if need be")
    parser.add_argument("--nfe", default="50", help="budgets, separated by commas")
    parser.add_argument("--version", type=int, help="the next integer by default")


def run(options: argparse.Namespace) -> None:
    """Export."""
    from gddim_tf.samplers.parse import parse
    from gddim_tf.serving import export
    from gddim_tf.training import load

    sampler = parse(options.sampler)
    signatures = {f"sample_{int(nfe)}": (sampler, int(nfe)) for nfe in options.nfe.split(",")}
    path = export(load(options.model), options.out, signatures, options.version)
    print(f"signatures {', '.join(signatures)} and denoise are in {path}")
