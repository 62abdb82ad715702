"""Turn a published checkpoint into a `.keras` model with its diffusion, ready to sample.

For example:
  gddim-tf convert path/to/ddpm-cifar10-32 --to ddpm.keras
  gddim-tf convert hf://google/ddpm-cifar10-32 --to ddpm.keras
  gddim-tf convert checkpoint_15 --preset ncsnpp_deep_cld_cifar10 --sde cld --to cld.keras
  gddim-tf sample --model ddpm.keras --sampler "gddim(order=2)" --nfe 20
"""

from __future__ import annotations

import argparse

from gddim_tf.cli.arguments import DIFFUSIONS, NETWORKS, image_size
from gddim_tf.outputs import Output

WRITES = {"--to": Output.MODEL}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `convert`."""
    parser.add_argument(
        "source",
        help="safetensors, .pt/.pth, Flax file, a diffusers folder, or hf://user/name of one",
    )
    parser.add_argument("--to", required=True, help=".keras file to write")
    parser.add_argument(
        "--format",
        help="diffusers, ermongroup, edm, denoising_diffusion_pytorch, score_sde_torch, cld_sgm or "
        "score_sde_flax; found out from the names of the tensors if not given",
    )
    parser.add_argument(
        "--config", help="JSON file of the source's configuration (score_sde and CLD-SGM)"
    )
    parser.add_argument("--preset", help=f"network in place of a configuration: {NETWORKS}")
    parser.add_argument("--sde", help=f"{DIFFUSIONS}; the format's own if not given")
    parser.add_argument(
        "--image-size",
        type=image_size,
        help="pixels a side, or HEIGHTxWIDTH, where a file does not tell or another is wanted",
    )
    parser.add_argument("--variant", help="weights of a diffusers folder, such as fp16 or non_ema")
    parser.add_argument("--raw", action="store_true", help="raw weights instead of their average")


def run(options: argparse.Namespace) -> None:
    """Convert."""
    from gddim_tf import checkpoints
    from gddim_tf.models import save

    size = {} if options.image_size is None else {"image_size": options.image_size}
    model = checkpoints.load(
        options.source,
        options.format,
        sde=options.sde,
        config=options.config,
        preset=options.preset,
        ema=not options.raw,
        variant=options.variant,
        **size,
    )
    path = save(model, options.to)
    kind = f"{model.network.count_params():,} weights that predict {model.prediction}"
    print(f"{path}: {kind} on {model.sde}; gddim-tf sample --model {path} draws")
