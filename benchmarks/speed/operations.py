"""Where the time of an evaluation of DDPM's network goes, by kinds of operations, on both sides."""

from __future__ import annotations

import collections
import functools
import pathlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

import gddim_tf as gd
from benchmarks.speed.network import POLICIES
from benchmarks.speed.peer import Peer
from benchmarks.speed.turns import Measured

# The first that fits counts: of TensorFlow's operations the place in the network stands before the
# kind, "while/body/.../norm1/mul:Mul"; PyTorch's have their kind only, "aten::silu".
_KINDS = {
    "convolutions": r"conv\w*$|:_?\w*Conv\w*$",
    "matrix products and attention": r"matmul|softmax|::\w*mm$|linear$|attention",
    "activations": r"sigmoid|swish|silu",
    "group normalizations": r"/norm\w*/|_norm$",
    "other": "",
}
_EVALUATIONS = 4


def evaluation_parts(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """The sum over operations of the least time that each took; other work still shows in it.

    Both sides compute in one thread where the process may use one core (`taskset -c 0`); in several
    threads what runs at the same time is counted twice.
    """
    for dtype, batch in (("float32", 1), ("bfloat16", 16)):
        model = gd.DiffusionModel.from_preset(
            "ddpm_cifar10", gd.sdes.VPSDE(), dtype=POLICIES[dtype]
        )
        ours = by_kind(operations(model, batch, runs))
        job = {"batch": batch, "dtype": dtype, "runs": runs * _EVALUATIONS}
        answer: Any = peer.run("operations", **job)() if peer else {}
        theirs = by_kind(answer)
        for kind, milliseconds in ours.items():
            of_peer = theirs[kind] if peer else None
            ratio = of_peer and milliseconds / of_peer
            name = f"{kind}, {dtype}, batch {batch}"
            yield Measured(name, "ms", milliseconds, of_peer, ratio)


def operations(model: gd.DiffusionModel, batch: int, runs: int) -> dict[str, float]:
    """Milliseconds in one evaluation of each operation that a draw runs, by its place and kind."""
    draw = functools.partial(
        model.sample, batch, gd.samplers.DDIM(), _EVALUATIONS, batch_size=batch
    )
    draw()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(runs):
                draw()
        (trace,) = pathlib.Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(trace.read_bytes())
    found = collections.defaultdict(list)
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            found[plane.event_metadata[event.metadata_id].name].append(event.duration_ps / 1e9)
    return {
        name: min(times) * len(times) / (runs * _EVALUATIONS)
        for name, times in found.items()
        if re.search(r":\w+$", name) and "::" not in name
    }


def by_kind(times: Mapping[str, float]) -> dict[str, float]:
    """The sums over operations of a kind, and over all."""
    sums = dict.fromkeys(_KINDS, 0.0)
    for name, milliseconds in times.items():
        sums[next(kind for kind in _KINDS if re.search(_KINDS[kind], name, re.I))] += milliseconds
    return {**sums, "all": sum(times.values())}
