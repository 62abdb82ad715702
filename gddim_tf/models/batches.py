"""A plan of images, made in batches: on one device or several, or side by side."""

from __future__ import annotations

import collections
import functools
import math
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from gddim_tf.checks import whole
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

# Graphs of the most recent networks on several devices, as in the loop.
_DIVIDED_LOOPS = 16

# What is told of each image, by name, `[batch, ...]` each.
Rows = dict[str, tf.Tensor]


class Way(Protocol):
    """From the first states of some images to the last ones."""

    def __call__(
        self, state: tf.Tensor, seeds: tf.Tensor, context: Rows, /
    ) -> tuple[tf.Tensor, int]:
        """The last states, and the network evaluations of each image.

        Args:
          state: `[batch, height, width, k * C]`.
          seeds: `[batch, 2]`.
          context: what eps is told besides states and times.
        """
        ...


class Batch(NamedTuple):
    """Some images of a draw, in their order.

    Attributes:
      images: `[batch, height, width, C]` float32, in [-1, 1] up to the error of the network.
      nfe: network evaluations that each of them took.
    """

    images: np.ndarray
    nfe: int


class Plan(NamedTuple):
    """How images are made, from the seeds of a batch to its pixels.

    Attributes:
      start: from seeds `[batch, 2]` and what is told to the first states.
      way: from there to the last states.
      finish: from those and what is told to pixels.
      rows: what is told of every image, one row each.
      context: the names of those rows that eps is told.
      count: how many images.
    """

    start: Callable[[tf.Tensor, Rows], tf.Tensor]
    way: Way
    finish: Callable[[tf.Tensor, Rows], tf.Tensor]
    rows: dict[str, np.ndarray]
    context: tuple[str, ...]
    count: int


def in_batches(
    plan: Plan, *, seed: int, first: int = 0, batch_size: int = 256, workers: int = 1
) -> Iterator[Batch]:
    """Make the images of a plan, a batch at a time as they are asked for.

    In the scope of a `tf.distribute` strategy each batch is divided among its devices.

    Args:
      plan: how they are made.
      seed: of all of them; image i has the seeds `(seed, first + i)`.
      first: index of the first image.
      batch_size: most images per batch, of all devices together.
      workers: batches made side by side, each by a thread.

    Returns:
      The batches.

    Raises:
      ValueError: if a number is below 1, or several workers share several devices.
    """
    count = plan.count
    for name, value in (("count", count), ("batch_size", batch_size), ("workers", workers)):
        whole(name, value, 1)
    image_seeds(seed, first, 1)  # which checks them
    if workers > 1 and tf.distribute.get_strategy().num_replicas_in_sync > 1:
        raise ValueError(f"`workers` must be 1 on several devices, received {workers}")
    size = min(batch_size, math.ceil(count / workers))

    def batch(start: int) -> Batch:
        stop = min(start + size, count)
        seeds = image_seeds(seed, first + start, stop - start)
        rows = {name: tf.constant(values[start:stop]) for name, values in plan.rows.items()}
        context = {name: rows[name] for name in plan.context}
        state, spent = plan.way(plan.start(seeds, rows), seeds, context)
        return Batch(plan.finish(state, rows).numpy(), spent)

    return _in_order(batch, range(0, count, size), workers)


def collected(batches: Iterator[Batch], count: int, progress: bool) -> np.ndarray:
    """The images of all batches, `[count, height, width, C]`, with a progress bar if wanted."""
    from tqdm.auto import tqdm

    images = []
    with tqdm(total=count, unit="image", disable=not progress) as bar:
        for batch in batches:
            images.append(batch.images)
            bar.update(len(batch.images))
    return np.concatenate(images)


def along(table: Table, eps_fn: EpsFn) -> Way:
    """The way along a table, on all devices of the strategy in whose scope this is called."""
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync > 1:
        follow = functools.partial(_run_divided, strategy)
    else:
        follow = _run_whole
    return lambda state, seeds, context: (follow(table, eps_fn, state, seeds, context), table.nfe)


def _in_order(batch: Callable[[int], Batch], starts: range, workers: int) -> Iterator[Batch]:
    """The batches in their order; no more of them wait than there are workers."""
    if workers == 1:
        yield from map(batch, starts)
        return
    with futures.ThreadPoolExecutor(workers) as pool:
        pending: collections.deque[futures.Future[Batch]] = collections.deque()
        for start in starts:
            pending.append(pool.submit(batch, start))
            if len(pending) > workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _run_whole(
    table: Table, eps_fn: EpsFn, prior: tf.Tensor, seeds: tf.Tensor, rows: Rows
) -> tf.Tensor:
    return run(table, eps_fn, prior, seeds=seeds, context=rows)


def _run_divided(
    strategy: tf.distribute.Strategy,
    table: Table,
    eps_fn: EpsFn,
    prior: tf.Tensor,
    seeds: tf.Tensor,
    rows: Rows,
) -> tf.Tensor:
    """`run` on all devices of a strategy at a time, each with its share of the images."""
    inputs = loop_inputs(table, prior, seeds, rows)
    loop = compiled_loop(eps_fn, Layout.of(table), inputs)
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
def _on_each_device(
    strategy: tf.distribute.Strategy,
    loop: Callable[[LoopInputs], tuple[tf.Tensor, tf.Tensor, tf.Tensor]],
) -> Callable[[LoopInputs], tuple[tf.Tensor, tf.Tensor]]:
    """The graph of a compiled loop on all devices, kept for the next batch or draw."""

    def on_each(share: LoopInputs) -> tuple[tf.Tensor, tf.Tensor]:
        # a strategy would trace the loop itself for values of all devices, which it does not take
        state, _, failed = loop(share)
        return state, failed

    return tf.function(
        lambda shares: strategy.run(on_each, (shares,)), autograph=False, reduce_retracing=True
    )
