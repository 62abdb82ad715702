"""Many images in batches, each from its own seed, on one device or several."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.loop import EpsFn, check_finite, compiled_loop, loop_tensors, run
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE
from gddim_tf.sdes.randomness import image_seeds


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
    options = {"sde": sde, "eps_fn": eps_fn, "table": table, "image_shape": image_shape}
    options["jit_compile"] = jit_compile
    if strategy.num_replicas_in_sync > 1:
        sample = _divided(strategy, **options)
    else:
        sample = functools.partial(_on_one_device, **options)
    for start in range(0, count, batch_size):
        size = min(batch_size, count - start)
        seeds = image_seeds(seed, first + start, size)
        rows = {name: tf.constant(v[start : start + size]) for name, v in (context or {}).items()}
        yield sample(seeds, rows).numpy()


def _on_one_device(
    seeds: tf.Tensor,
    rows: dict[str, tf.Tensor],
    sde: LinearSDE,
    eps_fn: EpsFn,
    table: Table,
    image_shape: tuple[int, ...],
    jit_compile: bool,
) -> tf.Tensor:
    prior = sde.prior(image_shape, seeds)
    state = run(table, eps_fn, prior, seeds=seeds, context=rows, jit_compile=jit_compile)
    return sde.to_images(state)


def _divided(
    strategy: tf.distribute.Strategy,
    sde: LinearSDE,
    eps_fn: EpsFn,
    table: Table,
    image_shape: tuple[int, ...],
    jit_compile: bool,
) -> Callable[[tf.Tensor, dict[str, tf.Tensor]], tf.Tensor]:
    """The same on all devices of a strategy at a time, each with its share of the images."""
    replicas = strategy.num_replicas_in_sync

    def on_each(seeds: tf.Tensor, rows: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        tensors = loop_tensors(table, sde.prior(image_shape, seeds), seeds, rows)
        loop = compiled_loop(eps_fn, table, tensors, jit_compile=jit_compile)
        state, _, failed = loop(tensors)
        return sde.to_images(state), failed

    graph = tf.function(
        lambda *shares: strategy.run(on_each, shares), autograph=False, reduce_retracing=True
    )

    def sample(seeds: tf.Tensor, rows: dict[str, tf.Tensor]) -> tf.Tensor:
        size = len(seeds)
        # the last image fills up what cannot be divided
        index = np.minimum(np.arange(-(-size // replicas) * replicas), size - 1)

        def share(context: tf.distribute.ReplicaContext) -> Any:
            own = np.split(index, replicas)[context.replica_id_in_sync_group]
            return tf.nest.map_structure(lambda values: tf.gather(values, own), (seeds, rows))

        images, failed = graph(*strategy.experimental_distribute_values_from_function(share))
        for row in strategy.experimental_local_results(failed):
            check_finite(table, int(row))
        return tf.concat(strategy.experimental_local_results(images), axis=0)[:size]

    return sample
