"""The network of DDPM, 35.7M weights: one evaluation, one training step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import gddim_tf as gd
from benchmarks.speed.peer import Peer
from benchmarks.speed.turns import Measured, in_turn, timed

_POLICY = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def evaluations(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """Inside a loop, as samplers evaluate: the time of so many evaluations over their number."""
    for dtype, policy in _POLICY.items():
        model = gd.DiffusionModel.from_preset("ddpm_cifar10", gd.sdes.VPSDE(), dtype=policy)
        for batch, count in ((1, 4), (4, 2), (16, 1)):
            ours = loop_seconds(model, batch, count)
            theirs = peer and peer.run("evaluation", batch=batch, dtype=dtype)
            yield in_turn(f"evaluation, {dtype}, batch {batch}", ours, theirs, runs=runs)


def training(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """A step of 16 images with Adam and an average of the weights."""
    images = np.random.default_rng(0).uniform(-1, 1, (16, 32, 32, 3)).astype(np.float32)
    for dtype, policy in _POLICY.items():
        model = gd.DiffusionModel.from_preset("ddpm_cifar10", gd.sdes.VPSDE(), dtype=policy)
        adam = keras.optimizers.Adam(1e-4, use_ema=True, ema_momentum=0.9999)
        model.compile(optimizer=adam)

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
