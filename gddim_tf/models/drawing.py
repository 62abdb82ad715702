"""The one way from seeds to images: in batches, on one device or several, or side by side."""

from __future__ import annotations

import collections
import functools
import math
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from gddim_tf.checks import real
from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.samplers.adaptive import RK45
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.loop import (
    EpsFn,
    check_finite,
    compiled_loop,
    loop_inputs,
    run,
)
from gddim_tf.samplers.loop_inputs import Layout, LoopInputs
from gddim_tf.samplers.parse import chosen
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE

# Beyond it images are noise; used weights are below 20.
_LARGEST_GUIDANCE = 1e4

# Graphs of the most recent networks on several devices, as in the loop.
_DIVIDED_LOOPS = 16

Rows = dict[str, tf.Tensor]
# From the states at `t_max`, their seeds and what else eps is told of each image, to the states at
# `t_min` and the network evaluations of each.
Way = Callable[[tf.Tensor, tf.Tensor, Rows], tuple[tf.Tensor, int]]


class Drawable(Protocol):
    """What a draw asks of a model: a part of `GenerativeModel`, which stands on this module."""

    @property
    def sde(self) -> LinearSDE:
        """The diffusion."""
        ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, C)`."""
        ...

    def eps(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """The network."""
        ...

    def guided_eps(
        self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor, guidance: tf.Tensor
    ) -> tf.Tensor:
        """The network under guidance."""
        ...

    def check_labels(self, labels: Any, count: int) -> np.ndarray:
        """One label per image."""
        ...


class Batch(NamedTuple):
    """Some images of a draw, in their order.

    Attributes:
      images: `[batch, height, width, C]` float32, in [-1, 1] up to the error of the network.
      nfe: network evaluations that each of them took.
    """

    images: np.ndarray
    nfe: int


def draw(
    model: Drawable,
    sampler: Sampler | type[Sampler] | RK45 | str | None,
    nfe: int,
    count: int,
    *,
    seed: int = 0,
    first: int = 0,
    labels: Any = None,
    guidance: float | None = None,
    batch_size: int = 256,
    workers: int = 1,
) -> Iterator[Batch]:
    """Draw images, a batch at a time.

    In the scope of a `tf.distribute` strategy each batch is divided among its devices.

    Args:
      model: whatever knows eps.
      sampler: one, its class or its name; `samplers.default(sde, nfe)` if None.
      nfe: network evaluations per image (each over a doubled batch if guided); `RK45` takes as many
        as its tolerances ask for, and one device.
      count: how many images.
      seed: of the whole draw; image i depends on `(seed, first + i)` alone (with `RK45`, within its
        tolerances, on its batch too).
      first: index of the first image.
      labels: None, or one class per image, or one for all.
      guidance: None for the plain conditional model, or the weight w of `guided_eps`.
      batch_size: most images per batch, of all devices together.
      workers: batches made side by side, each by a thread: on a CPU one per core is faster for
        small networks than all cores in one batch.

    Returns:
      The batches, made as they are asked for.

    Raises:
      ValueError: if a number is below 1, a label is out of range, guidance is asked without labels,
        the sampler cannot spend the budget, or several workers share several devices.
      NotFiniteError, StepLimitError: while the batches are made, as `run` and `RK45.solve` do.

    Example:
      for batch in draw(model, DDIM(), 20, 50_000, batch_size=500):
          statistics.update(features(to_uint8(batch.images)))
    """
    for name, value in (("count", count), ("batch_size", batch_size), ("workers", workers)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, received {value}")
    if workers > 1 and tf.distribute.get_strategy().num_replicas_in_sync > 1:
        raise ValueError(f"`workers` must be 1 on several devices, received {workers}")
    context = _context(model, labels, guidance, count)
    way = _way(model, sampler, nfe, guidance is not None)
    size = min(batch_size, math.ceil(count / workers))

    def batch(start: int) -> Batch:
        stop = min(start + size, count)
        seeds = image_seeds(seed, first + start, stop - start)
        rows = {name: tf.constant(values[start:stop]) for name, values in context.items()}
        state, spent = way(model.sde.prior(model.image_shape, seeds), seeds, rows)
        return Batch(model.sde.to_images(state).numpy(), spent)

    return _in_order(batch, range(0, count, size), workers)


def _context(
    model: Drawable, labels: Any, guidance: float | None, count: int
) -> dict[str, np.ndarray]:
    """What eps is told of every image besides its state, one row each."""
    context = {}
    if labels is not None:
        context["labels"] = model.check_labels(labels, count)
    if guidance is not None:
        if labels is None:
            raise ValueError("`labels` must be given with `guidance`, received None")
        weight = real("guidance", guidance, -_LARGEST_GUIDANCE, _LARGEST_GUIDANCE)
        context["guidance"] = np.full(count, weight, np.float32)
    return context


def _way(
    model: Drawable,
    sampler: Sampler | type[Sampler] | RK45 | str | None,
    nfe: int,
    guided: bool,
) -> Way:
    """How a batch of states gets from `t_max` to `t_min`."""
    sde, eps_fn = model.sde, model.guided_eps if guided else model.eps
    if isinstance(sampler, RK45):

        def solve(prior: tf.Tensor, _: tf.Tensor, rows: Rows) -> tuple[tf.Tensor, int]:
            solution = sampler.solve(sde, eps_fn, prior, context=rows)
            return solution.state, solution.nfe

        return solve
    table = chosen(sampler, sde, nfe).table_for(model, nfe)
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync > 1:
        follow = functools.partial(_run_divided, strategy)
    else:
        follow = _run_whole
    return lambda prior, seeds, rows: (follow(table, eps_fn, prior, seeds, rows), table.nfe)


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
def _on_each_device(strategy: tf.distribute.Strategy, loop: Any) -> Any:
    """The graph of a compiled loop on all devices, kept for the next batch or draw."""

    def on_each(share: LoopInputs) -> tuple[tf.Tensor, tf.Tensor]:
        # a strategy would trace the loop itself for values of all devices, which it does not take
        state, _, failed = loop(share)
        return state, failed

    return tf.function(
        lambda shares: strategy.run(on_each, (shares,)), autograph=False, reduce_retracing=True
    )
