"""What a table is fitted to: a network, the seeds it starts from, and who is fitted on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from gddim_tf.checks import whole
from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.samplers.errors import NotFiniteError
from gddim_tf.samplers.loop_body import EpsFn
from gddim_tf.sdes import LinearSDE

# A quarter of so many seeds still tells one error from another.
LEAST_SEEDS = 32


def check_count(count: int) -> int:
    """How many seeds; raises `ValueError` unless it is a multiple of 4 that suffices."""
    is_whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
    if not is_whole or count < LEAST_SEEDS or count % 4:
        raise ValueError(
            f"`count` must be a multiple of 4 and at least {LEAST_SEEDS}, received {count!r}"
        )
    return int(count)


class Task:
    """A network under a diffusion, and `count` seeds in three parts.

    The first half of the seeds is fitted on; the third quarter chooses between fits; the last one
    takes part in neither, and gives the errors that are reported.

    Args:
      sde: the diffusion.
      eps_fn: `(u, t) -> eps`, states and times `[batch]` to the same shape.
      image_shape: `(height, width, C)`.
      count: how many seeds, a multiple of 4.
      seed: of the priors; prior i is that of image i of `model.sample`.
      context: further arguments of `eps_fn` by name, one row per seed.
      batch_size: seeds per pass through the network.
      progress: called with the number of network evaluations that were made.

    Raises:
      ValueError: if there are too few seeds, or none in a batch.
    """

    def __init__(
        self,
        sde: LinearSDE,
        eps_fn: EpsFn,
        image_shape: tuple[int, ...],
        count: int,
        *,
        seed: int = 0,
        context: dict[str, np.ndarray] | None = None,
        batch_size: int = 64,
        progress: Callable[[int], object] = lambda evaluations: None,
    ) -> None:
        self.sde, self.image_shape, self.seed = sde, image_shape, seed
        self.count = check_count(count)
        self.state_shape = (*image_shape[:-1], sde.components * image_shape[-1])
        self.eps_fn, self.count_evaluations = eps_fn, progress
        self._context = context or {}
        self._batch_size = whole("batch_size", batch_size, 1)
        self._network = tf.function(
            lambda u, t, context: tf.cast(eps_fn(u, t, **context), u.dtype),
            autograph=False,
            reduce_retracing=True,
        )

    @functools.cached_property
    def parts(self) -> dict[str, slice]:
        """The seeds by what they are for."""
        quarter = self.count // 4
        return {
            "fit": slice(0, 2 * quarter),
            "choose": slice(2 * quarter, 3 * quarter),
            "report": slice(3 * quarter, self.count),
        }

    def batches(self, *parts: str) -> Iterator[slice]:
        """The seeds of some parts (all by default), a batch at a time."""
        for part in parts or self.parts:
            whole = self.parts[part]
            for start in range(whole.start, whole.stop, self._batch_size):
                yield slice(start, min(start + self._batch_size, whole.stop))

    def prior(self, batch: slice) -> tf.Tensor:
        """Starting states of a batch, float32."""
        seeds = image_seeds(self.seed, batch.start, batch.stop - batch.start)
        return self.sde.prior(self.image_shape, seeds)

    def context(self, batch: slice) -> dict[str, tf.Tensor]:
        """The further arguments of the network for a batch."""
        return {name: tf.constant(value[batch]) for name, value in self._context.items()}

    def eps(self, u: tf.Tensor, time: float, batch: slice) -> tf.Tensor:
        """The network's output on the states of a batch.

        Raises:
          NotFiniteError: if it is not finite.
        """
        times = tf.fill([len(u)], tf.constant(time, u.dtype))
        eps = self._network(u, times, self.context(batch))
        if not tf.reduce_all(tf.math.is_finite(eps)):
            raise NotFiniteError(
                f"the network must return finite values, received NaN or Inf at t = {time:.6g}"
            )
        self.count_evaluations(len(u))
        return eps
