"""Time an exported StableHLO module on the device that JAX has: it is how a GPU is measured.

For example:
  gddim-tf export --stablehlo --batch-size 64 --model runs/digits --nfe 20 --out digits
  python -m benchmarks.stablehlo digits --runs 9

Needs JAX, NumPy and safetensors, not TensorFlow. Prints seconds to compile, and the median of a
call, of an evaluation and of an image.
"""

from __future__ import annotations

import argparse
import statistics
import time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("folder", help="what `gddim-tf export --stablehlo` wrote")
    parser.add_argument("--module", help="its name in stablehlo.json; the first by default")
    parser.add_argument("--runs", type=int, default=5, help="timed calls")


def main() -> None:
    """Compile, run once, then time."""
    from examples.run_stablehlo import Sampler

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    options = parser.parse_args()
    start = time.perf_counter()
    sampler = Sampler(options.folder, options.module)
    compiled = time.perf_counter() - start
    label = 0 if "label" in sampler.description["inputs"] else None
    sampler(seed=0, label=label)
    seconds = []
    for run in range(options.runs):
        start = time.perf_counter()
        sampler(seed=run, label=label)
        seconds.append(time.perf_counter() - start)
    call = statistics.median(seconds)
    print(f"{sampler.device}, batch {sampler.batch}, {sampler.nfe} evaluations")
    print(f"loaded and compiled in {compiled:.2f} s")
    print(f"call {1e3 * call:.2f} ms, evaluation {1e3 * call / sampler.nfe:.3f} ms", end=", ")
    print(f"image {1e3 * call / sampler.batch:.3f} ms (medians of {options.runs})")


if __name__ == "__main__":
    main()
