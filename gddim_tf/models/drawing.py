"""Many images in batches, each from its own seed, on one device or several."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.samplers.loop import (
    EpsFn,
    check_finite,
    compiled_loop,
    loop_inputs,
    run,
)
from gddim_tf.samplers.loop_inputs import Layout, LoopInputs
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE

# Graphs of the most recent networks on several devices, as in the loop.
_DIVIDED_LOOPS = 16


def draw(
    sde: LinearSDE,
    eps_fn: EpsFn,
    table: Table,
    image_shape: tuple[int, ...],
    count: int,
    *,
    seed: int = 0,
    first: int = 0,
    context: dict[str, np.ndarray] | None = None,
    batch_size: int = 256,
    jit_compile: bool = False,
) -> Iterator[np.ndarray]:
    """Sample images, a batch at a time.

    In the scope of a `tf.distribute` strategy each batch is divided among its devices.

    Args:
      sde: the diffusion.
      eps_fn: as in `run`.
      table: from `sampler.table(sde, nfe)`.
      image_shape: `(height, width, C)`.
      count: how many images.
      seed: of the whole draw; image i depends on `(seed, first + i)` alone.
      first: index of the first image.
      context: further arguments of `eps_fn`, one row per image.
      batch_size: images per batch, of all devices together.
      jit_compile: as in `run`.

    Yields:
      Images `[at most batch_size, height, width, C]`, float32.

    Raises:
      ValueError: if `count` or `batch_size` is below 1.
    """
    for name, value in (("count", count), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, received {value}")

    strategy = tf.distribute.get_strategy()
    for start in range(0, count, batch_size):
        size = min(batch_size, count - start)
        seeds = image_seeds(seed, first + start, size)
        rows = {name: tf.constant(v[start : start + size]) for name, v in (context or {}).items()}
        prior = sde.prior(image_shape, seeds)
        if strategy.num_replicas_in_sync > 1:
            state = _run_divided(strategy, table, eps_fn, prior, seeds, rows, jit_compile)
        else:
            state = run(table, eps_fn, prior, seeds=seeds, context=rows, jit_compile=jit_compile)
        yield sde.to_images(state).numpy()


def _run_divided(
    strategy: tf.distribute.Strategy,
    table: Table,
    eps_fn: EpsFn,
    prior: tf.Tensor,
    seeds: tf.Tensor,
    rows: dict[str, tf.Tensor],
    jit_compile: bool,
) -> tf.Tensor:
    """`run` on all devices of a strategy at a time, each with its share of the images."""
    inputs = loop_inputs(table, prior, seeds, rows)
    loop = compiled_loop(eps_fn, Layout.of(table), inputs, jit_compile=jit_compile)
    replicas, size = strategy.num_replicas_in_sync, len(seeds)
    # the last image fills up what cannot be divided
    index = np.minimum(np.arange(-(-size // replicas) * replicas), size - 1)

    def share(context: tf.distribute.ReplicaContext) -> LoopInputs:
        return inputs.images(np.split(index, replicas)[context.replica_id_in_sync_group])

    shares = strategy.experimental_distribute_values_from_function(share)
    state, failed = _on_each_device(strategy, loop)(shares)
    for row in strategy.experimental_local_results(failed):
        check_finite(table, int(row))
    return tf.concat(strategy.experimental_local_results(state), axis=0)[:size]


@functools.lru_cache(maxsize=_DIVIDED_LOOPS)
def _on_each_device(strategy: tf.distribute.Strategy, loop: Any) -> Any:
    """The graph of a compiled loop on all devices, kept for the next batch or draw."""

    def on_each(share: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        # a strategy would trace the loop itself for values of all devices, which it does not take
        state, _, failed = loop(share)
        return state, failed

    return tf.function(
        lambda shares: strategy.run(on_each, (shares,)), autograph=False, reduce_retracing=True
    )
