"""Write a SavedModel in TF Serving's layout, or StableHLO modules, one sampling loop per budget.

For example:
  gddim-tf export --model runs/digits --nfe 10,50 --out served/digits
  gddim-tf export --model runs/digits --sampler "gddim(order=2)" --nfe 20 --keep 3 --out served/two
  gddim-tf export --stablehlo --batch-size 64 --model runs/digits --nfe 20 --out digits_stablehlo
"""

from __future__ import annotations

import argparse

from gddim_tf.cli.arguments import SAMPLERS, named_sampler, whole_numbers
from gddim_tf.outputs import Output

WRITES = {"--out": Output.FOLDER}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    parser.add_argument("--model", required=True, help=".keras file or run")
    parser.add_argument("--out", required=True, help="folder of the versions of the model")
    parser.add_argument("--sampler", default="default", help=SAMPLERS)
    parser.add_argument(
        "--nfe", type=whole_numbers, default="50", help="budgets, separated by commas"
    )
    parser.add_argument("--version", type=int, help="the next integer by default")
    parser.add_argument("--keep", type=int, help="how many versions to leave there; all by default")
    parser.add_argument(
        "--batch-sizes",
        type=whole_numbers,
        default="1,2,4,8,16,32,64",
        help="to which a server fills up batches, and for which it warms up",
    )
    parser.add_argument("--largest-batch", type=int, default=1024, help="rows of one request")
    parser.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        help="of the network; that of its training by default",
    )
    parser.add_argument(
        "--weights",
        choices=("float32", "float16"),
        default="float32",
        help="as which they are stored; float16 is half the size",
    )
    parser.add_argument(
        "--jit", action="store_true", help="compile the loops with XLA, for GPU and TPU"
    )

    parser.add_argument(
        "--stablehlo",
        action="store_true",
        help="write NAME.mlir and weights.safetensors, for OpenXLA runtimes, instead",
    )
    parser.add_argument(
        "--batch-size", type=int, default=16, help="images per call of a StableHLO module"
    )


def run(options: argparse.Namespace) -> None:
    """Export."""
    from gddim_tf.models.opening import load_trainable
    from gddim_tf.models.precision import with_precision
    from gddim_tf.samplers import default
    from gddim_tf.serving import export, export_stablehlo

    sampler, model = named_sampler(options.sampler), load_trainable(options.model)
    if options.precision:
        model = with_precision(model, options.precision)
    signatures = {f"sample_{nfe}": (sampler or default(model.sde, nfe), nfe) for nfe in options.nfe}
    if options.stablehlo:
        path = export_stablehlo(model, options.out, signatures, options.batch_size)
        print(f"modules {', '.join(signatures)} are described in {path}")
        return
    path = export(
        model,
        options.out,
        signatures,
        options.version,
        keep=options.keep,
        batch_sizes=options.batch_sizes,
        largest_batch=options.largest_batch,
        jit_compile=options.jit,
        weights=options.weights,
    )
    print(f"signatures {', '.join(signatures)} and more are in {path}")
