"""Many images in batches, each from its own seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.loop import EpsFn, run
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

    Args:
      sde: the diffusion.
      eps_fn: as in `run`.
      table: from `sampler.table(sde, nfe)`.
      image_shape: `(height, width, C)`.
      count: how many images.
      seed: of the whole draw; image i depends on `(seed, first + i)` alone.
      first: index of the first image.
      context: further arguments of `eps_fn`, one row per image.
      batch_size: images per batch.
      jit_compile: as in `run`.

    Yields:
      Images `[at most batch_size, height, width, C]`, float32.

    Raises:
      ValueError: if `count` or `batch_size` is below 1.
    """
    for name, value in (("count", count), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, received {value}")
    for start in range(0, count, batch_size):
        size = min(batch_size, count - start)
        seeds = image_seeds(seed, first + start, size)
        rows = {name: tf.constant(v[start : start + size]) for name, v in (context or {}).items()}
        prior = sde.prior(image_shape, seeds)
        state = run(table, eps_fn, prior, seeds=seeds, context=rows, jit_compile=jit_compile)
        yield sde.to_images(state).numpy()
