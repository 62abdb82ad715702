"""Whole calls: sampling over evaluations times network, memory, a fresh process, an export."""

from __future__ import annotations

import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import tensorflow as tf

import gddim_tf as gd
from benchmarks.speed.network import loop_seconds
from benchmarks.speed.peer import Peer
from benchmarks.speed.turns import Measured, in_turn, timed

_FRESH = """
import gddim_tf as gd
model = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.VPSDE())
model.sample(64, gd.samplers.DDIM(), 20)
"""


def whole_calls(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """`model.sample` over evaluations times one evaluation of the network alone, in turn."""
    for preset in ("ddpm_digits", "ddpm_fashion"):
        model = gd.DiffusionModel.from_preset(preset, gd.sdes.VPSDE())
        state = model.sde.prior(model.image_shape, tf.zeros([64, 2], tf.int32))
        network = tf.function(model.eps, autograph=False)
        alone = timed(lambda n=network, u=state: n(u, tf.fill([64], 0.5)))
        yield in_turn(f"{preset}, 64 x 20", loop_seconds(model, 64, 20), alone, runs=runs)
    yield in_turn(
        "import, ddpm_digits, 64 x 20 in a fresh process",
        timed(lambda: subprocess.run([sys.executable, "-c", _FRESH], check=True)),
        runs=min(runs, 3),
        unit="s",
        scale=1.0,
    )


def memory(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """Peak of this process as the evaluations grow: it must not."""
    model = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.CLD())
    for nfe in (10, 100, 1000):
        model.sample(256, gd.samplers.GDDIM(order=2), nfe)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield Measured(f"peak after {nfe} evaluations of 256 digits with velocities", "MB", peak)


def scaling(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """Milliseconds an evaluation against the batch, how many there are, and the image's size."""
    model = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.VPSDE())
    for batch in (1, 4, 16, 64, 256):
        run = loop_seconds(model, batch, 20)
        yield in_turn(
            f"digits, batch {batch}, per image", lambda r=run, b=batch: r() / b, runs=runs
        )
    for nfe in (1, 10, 100, 1000):
        run = loop_seconds(model, 4, nfe)
        yield in_turn(f"digits, {nfe} evaluations, each", run, runs=min(runs, 3))
    for size in (8, 16, 32, 64):
        wide = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.VPSDE(), image_size=size)
        yield in_turn(f"{size} x {size} pixels, batch 4", loop_seconds(wide, 4, 5), runs=runs)


def exported(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """A signature of an export that TensorFlow loads, over the same call of the model."""
    model = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.VPSDE())
    with tempfile.TemporaryDirectory() as folder:
        path = gd.serving.export(
            model, pathlib.Path(folder) / "digits", {"sample_20": (gd.samplers.DDIM(), 20)}
        )
        start = time.perf_counter()
        signature = tf.saved_model.load(str(path)).signatures["sample_20"]
        yield Measured("loading of the export", "s", time.perf_counter() - start)
        served = timed(lambda: signature(seed=tf.range(64))["image"].numpy())
        live = timed(lambda: model.sample(64, gd.samplers.DDIM(), 20))
        yield in_turn("export, 64 x 20 digits, beside the model", served, live, runs=runs)
