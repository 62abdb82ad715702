"""A diffusers model, converted and sampled by every method.

python examples/published_weights.py hf://google/ddpm-cifar10-32
python examples/published_weights.py path/to/ddpm-cifar10-32 --nfe 10
"""

import argparse
import pathlib

import numpy as np

import gddim_tf as gd

SAMPLERS = ("default", "ddim", "gddim(order=2)", "deis", "dpmsolver", "unipc", "ipndm", "heun")


def main(arguments=None):
    """Print how far each sampler is from the network's own flow, and draw the default's images."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", help="folder of a UNet2DModel or pipeline, or hf://user/name")
    parser.add_argument("--nfe", type=int, default=10)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/published"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    count, fine_nfe = (1, 12) if options.quick else (16, 100)
    samplers = SAMPLERS[:3] if options.quick else SAMPLERS

    model = gd.checkpoints.load(options.source)  # a Keras model: train on, export, evaluate
    print(model)
    labels = 0 if model.num_classes else None
    fine = np.clip(model.sample(count, "gddim(order=2)", nfe=fine_nfe, labels=labels), -1, 1)
    for sampler in samplers:
        nfe = options.nfe - 1 if sampler == "heun" else options.nfe  # an odd number of them
        images = np.clip(model.sample(count, sampler, nfe=nfe, labels=labels), -1, 1)
        print(f"{sampler:16} {nfe:3} evaluations: {np.sqrt(np.mean((images - fine) ** 2)):.4f}")
    gd.save(model, options.out)
    gd.evaluation.save_grid(
        model.sample(count, nfe=options.nfe, labels=labels), options.out / "images.png"
    )


if __name__ == "__main__":
    main()
