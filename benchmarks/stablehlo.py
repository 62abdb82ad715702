"""Time an exported StableHLO module on the device that JAX has: it is how a GPU is measured.

For example:
  gddim-tf export --stablehlo --batch-size 64 --model saved_models/digits_vp --nfe 20 --out digits
  python -m benchmarks.stablehlo digits --runs 9
  python -m benchmarks.stablehlo digits --network ddpm_digits

Needs JAX, NumPy and safetensors, not TensorFlow. Prints seconds to compile, and the median of a
call, of an evaluation and of an image. With --network, an evaluation of that network in PyTorch is
timed in turn, in the environment that scripts/peer.sh makes, on the GPU if PyTorch has one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from benchmarks.speed.peer import Peer, peer_python
from benchmarks.speed.turns import Measured, in_turn, timed
from gddim_tf.cli.program import explained

# Those of peer_process.py.
NETWORKS = ("ddpm_cifar10", "ddpm_digits", "ddpm_fashion")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("folder", help="what `gddim-tf export --stablehlo` wrote")
    parser.add_argument("--module", help="its name in stablehlo.json; the first by default")
    parser.add_argument("--runs", type=int, default=5, help="timed calls")
    parser.add_argument("--network", choices=NETWORKS, help="the module's, to time the peer's too")
    parser.add_argument("--peer", help="its Python; by default that of scripts/peer.sh")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compile, run once, then time; 0, or 2 if the options do not fit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error(f"--runs must be at least 1, received {options.runs}")
    if options.peer and not options.network:
        parser.error("--peer needs --network, the network that the peer runs")
    return explained("python -m benchmarks.stablehlo", lambda: run(options))


def run(options: argparse.Namespace) -> None:
    """Time the module, beside the peer if its network is told."""
    from examples.run_stablehlo import Sampler

    python = peer_python(options.peer) if options.network else None
    if options.network and python is None:
        raise FileNotFoundError("--network needs the environment that scripts/peer.sh makes")
    start = time.perf_counter()
    sampler = Sampler(options.folder, options.module)
    compiled = time.perf_counter() - start
    print(f"{sampler.device}, batch {sampler.batch}, {sampler.nfe} evaluations")
    print(f"loaded and compiled in {compiled:.2f} s")
    call = timed(lambda: sampler(seed=0))
    if python is None:
        print(told(in_turn("call", call, runs=options.runs), sampler.nfe, sampler.batch))
        return
    with Peer(python) as peer:
        one = peer.run("evaluation", batch=sampler.batch, dtype="float32", network=options.network)
        line = in_turn("call", call, lambda: sampler.nfe * one(), runs=options.runs)
        print(told(line, sampler.nfe, sampler.batch))
        print(f"{sampler.weights:,} weights; {options.network} of {peer.versions}:", end=" ")
        print(f"evaluation {line.peer / sampler.nfe:.3f} ms, ratio {line.ratio:.2f}")


def told(call: Measured, nfe: int, batch: int) -> str:
    """The line about the module itself."""
    ms = call.ours
    return f"call {ms:.2f} ms, evaluation {ms / nfe:.3f} ms, image {ms / batch:.3f} ms (medians)"


if __name__ == "__main__":
    raise SystemExit(main())
