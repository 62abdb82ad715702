"""Networks: one evaluation of DDPM's, of 35.7M weights, and of two small ones, and training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

import gddim_tf as gd
from benchmarks.speed.peer import Peer
from benchmarks.speed.turns import Measured, in_turn, timed
from gddim_tf.training import AveragingAdam

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def evaluations(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """Inside a loop, as samplers evaluate: the time of so many evaluations over their number."""
    for dtype, policy in POLICIES.items():
        model = gd.DiffusionModel.from_preset("ddpm_cifar10", gd.sdes.VPSDE(), dtype=policy)
        for batch, count in ((1, 4), (4, 2), (16, 1)):
            ours = loop_seconds(model, batch, count)
            theirs = peer and peer.run("evaluation", batch=batch, dtype=dtype)
            yield in_turn(f"evaluation, {dtype}, batch {batch}", ours, theirs, runs=runs)
    for preset in ("ddpm_digits", "ddpm_fashion"):
        model = gd.DiffusionModel.from_preset(preset, gd.sdes.VPSDE())
        for batch in (1, 16, 64):
            ours = loop_seconds(model, batch, 20)
            theirs = peer and peer.run("evaluation", batch=batch, dtype="float32", network=preset)
            yield in_turn(f"{preset}, batch {batch}", ours, theirs, runs=runs)


def training(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """A step of 16 images with Adam and an average of the weights."""
    images = np.random.default_rng(0).uniform(-1, 1, (16, 32, 32, 3)).astype(np.float32)
    for dtype, policy in POLICIES.items():
        model = gd.DiffusionModel.from_preset("ddpm_cifar10", gd.sdes.VPSDE(), dtype=policy)
        model.compile(optimizer=AveragingAdam(1e-4))  # that of the recipes

        def step(model: gd.DiffusionModel = model) -> Any:
            return model.train_on_batch(tf.constant(images))

        theirs = peer and peer.run("training", batch=16, dtype=dtype)
        first, of_peer = timed(step)(), theirs and theirs()
        ratio = of_peer and first / of_peer
        yield Measured(f"first training step, {dtype}", "s", first, of_peer, ratio)
        yield in_turn(f"training step of 16, {dtype}", timed(step), theirs, runs=runs)


def loop_seconds(model: gd.DiffusionModel, batch: int, count: int) -> Any:
    """A run of the seconds of one evaluation, of `count` in a loop."""
    sampler = gd.samplers.DDIM()
    run = timed(lambda: model.sample(batch, sampler, count, batch_size=batch))
    return lambda: run() / count
