"""Write a SavedModel in TF Serving's layout, or StableHLO modules, one sampling loop per budget.

For example:
  gddim-tf export --model runs/digits --nfe 10,50 --out served/digits
  gddim-tf export --model runs/digits --sampler "gddim(order=2)" --nfe 20 --keep 3 --out served/two
  gddim-tf export --stablehlo --batch-size 64 --model runs/digits --nfe 20 --out digits_stablehlo
"""

from __future__ import annotations

import argparse
from typing import Any

from gddim_tf.cli.arguments import SAMPLERS, named_sampler, whole_numbers
from gddim_tf.outputs import Output

WRITES = {"--out": Output.FOLDER}

# Options of one of the two formats alone, and where their values are kept.
_SERVED = {
    "--version": "version",
    "--keep": "keep",
    "--batch-sizes": "batch_sizes",
    "--largest-batch": "largest_batch",
    "--weights": "weights",
    "--jit": "jit_compile",
}
_MODULE = {"--batch-size": "batch_size"}
_IMAGES = 16  # per call of a module


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    parser.add_argument(
        "--model", required=True, help=".keras file or run; with --stablehlo an exported one, too"
    )
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
        help="to which a server fills up batches, and for which it warms up; "
        "1,2,4,8,16,32,64 by default",
    )
    parser.add_argument("--largest-batch", type=int, help="rows of one request; 1024 by default")
    parser.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        help="of the network; that of its training by default",
    )
    parser.add_argument(
        "--weights",
        choices=("float32", "float16"),
        help="as which they are stored; float32 by default, float16 is half the size",
    )
    parser.add_argument(
        "--jit",
        dest="jit_compile",
        action="store_const",
        const=True,
        help="compile the loops with XLA, for GPU and TPU",
    )

    parser.add_argument(
        "--stablehlo",
        action="store_true",
        help="write NAME.mlir and weights.safetensors, for OpenXLA runtimes, instead",
    )
    parser.add_argument(
        "--batch-size",
        type=int,
        help=f"images per call of a StableHLO module; {_IMAGES} by default",
    )


def run(options: argparse.Namespace) -> None:
    """Export."""
    served, module = _given(options, _SERVED), _given(options, _MODULE)
    if options.stablehlo and served:
        raise ValueError(f"--stablehlo must stand without {', '.join(served)}, which is of servers")
    if module and not options.stablehlo:
        raise ValueError("--batch-size needs --stablehlo, whose modules take batches of one size")
    from gddim_tf.models.opening import load, load_trainable
    from gddim_tf.models.precision import with_precision
    from gddim_tf.samplers import default
    from gddim_tf.serving import export, export_stablehlo

    sampler = named_sampler(options.sampler)
    if options.stablehlo and not options.precision:
        model = load(options.model)  # an exported one, too
    else:
        model = load_trainable(options.model)
    if options.precision:
        model = with_precision(model, options.precision)
    signatures = {f"sample_{nfe}": (sampler or default(model.sde, nfe), nfe) for nfe in options.nfe}
    if options.stablehlo:
        path = export_stablehlo(model, options.out, signatures, module.get("--batch-size", _IMAGES))
        print(f"modules {', '.join(signatures)} are described in {path}")
        return
    arguments = {_SERVED[option]: value for option, value in served.items()}
    path = export(model, options.out, signatures, **arguments)
    print(f"signatures {', '.join(signatures)} and more are in {path}")


def _given(options: argparse.Namespace, names: dict[str, str]) -> dict[str, Any]:
    """The options that were given, of those named."""
    values = {option: getattr(options, name) for option, name in names.items()}
    return {option: value for option, value in values.items() if value is not None}
