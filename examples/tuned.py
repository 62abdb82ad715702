"""A sampler of five evaluations, fitted to a model.

python examples/tuned.py
"""

import argparse
import pathlib

import numpy as np

import gddim_tf as gd


def main(arguments=None):
    """Fit, keep, and compare with samplers made by hand."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="saved_models/digits_cld")
    parser.add_argument("--nfe", type=int, default=5)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/tuned.npz"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    count, fine_nfe = (32, 12) if options.quick else (256, 100)

    model = gd.load(options.model)
    tuned = gd.samplers.tune(model, nfe=options.nfe, count=count)
    tuned.save(options.out)
    print(tuned.table_for(model, options.nfe))

    labels = np.arange(32) % model.num_classes if model.num_classes else None
    seeds = {"seed": 2, "labels": labels}  # of other images than it was fitted on
    fine = model.sample(32, gd.samplers.GDDIM(order=3), nfe=fine_nfe, **seeds)
    for sampler in (tuned, "default", "ddim", "unipc"):
        few = model.sample(32, sampler, nfe=options.nfe, **seeds)
        print(f"{sampler!s:.40} {np.sqrt(np.mean((few - fine) ** 2)):.4f}")


if __name__ == "__main__":
    main()
