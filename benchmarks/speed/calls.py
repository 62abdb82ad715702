"""Whole calls: sampling over evaluations times network, memory, a fresh process, an export."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

import gddim_tf as gd
from benchmarks.load.c_session import CSession
from benchmarks.speed.network import loop_seconds
from benchmarks.speed.peer import Peer
from benchmarks.speed.turns import Measured, in_turn, timed
from gddim_tf.models.constant_weights import drawing_eps

_FRESH = """
import gddim_tf as gd
model = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.VPSDE())
model.sample(64, gd.samplers.DDIM(), 20)
"""
# `ru_maxrss` would be that of the process that started this one, if that was larger.
_PEAK = """
import re
import gddim_tf as gd
model = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.CLD())
model.sample(256, gd.samplers.GDDIM(order=2), {nfe})
print(int(re.search("VmHWM:[^0-9]*([0-9]+)", open("/proc/self/status").read())[1]) / 1024)
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


def constants(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """An evaluation with weights as constants, as small networks draw, over one that reads them."""
    for preset, policy in (
        ("ddpm_digits", "float32"),
        ("ddpm_digits", "mixed_bfloat16"),
        ("ddpm_fashion", "float32"),
    ):
        model = gd.DiffusionModel.from_preset(preset, gd.sdes.VPSDE(), dtype=policy)
        table = gd.samplers.DDIM().table(model.sde, 10)
        for batch in (1, 16, 64):
            state = model.sde.prior(model.image_shape, tf.zeros([batch, 2], tf.int32))
            ours, read = (
                timed(lambda e=eps_fn, u=state, t=table: gd.samplers.run(t, e, u))
                for eps_fn in (drawing_eps(model), model.eps)
            )
            name = f"{preset}, {policy}, batch {batch}, 10 evaluations"
            yield in_turn(name, ours, read, runs=runs)


def memory(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """Peaks of fresh processes as the evaluations grow: they must not."""
    for nfe in (10, 100, 1000):
        code = _PEAK.format(nfe=nfe)
        peak = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        name = f"peak after {nfe} evaluations of 256 digits with velocities"
        yield Measured(name, "MB", float(peak.stdout))


def exported(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """A signature of an export, by TensorFlow and by its C loader, over that call of the model."""
    model = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.VPSDE())
    seeds = np.arange(64, dtype=np.int32)
    with tempfile.TemporaryDirectory() as folder:
        path = gd.serving.export(
            model, pathlib.Path(folder) / "digits", {"sample_20": (gd.samplers.DDIM(), 20)}
        )
        start = time.perf_counter()
        signature = tf.saved_model.load(str(path)).signatures["sample_20"]
        yield Measured("loading of the export", "s", time.perf_counter() - start)
        start = time.perf_counter()
        session = CSession(path)
        yield Measured("loading of the export by C", "s", time.perf_counter() - start)
        served = timed(lambda: signature(seed=tf.constant(seeds))["image"].numpy())
        by_c = timed(lambda: session.run("sample_20", {"seed": seeds}))
        live = timed(lambda: model.sample(64, gd.samplers.DDIM(), 20))
        yield in_turn("export, 64 x 20 digits, beside the model", served, live, runs=runs)
        yield in_turn("export by C, 64 x 20 digits, beside the model", by_c, live, runs=runs)
