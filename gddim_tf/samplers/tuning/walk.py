"""One batch of states on its way through the rows of a multistep table, from outside the loop."""

from __future__ import annotations

import functools
import operator

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.tuning.task import Task


class Walk:
    """A batch of states on its way through the rows of a multistep table.

    Args:
      task: the network and its seeds.
      batch: which of the seeds.
      history: how many outputs are remembered.
    """

    def __init__(self, task: Task, batch: slice, history: int) -> None:
        self.task, self.batch, self._history = task, batch, history
        self.state, self.outputs = task.prior(batch), []

    def evaluate(self, time: float) -> tf.Tensor:
        """The network's output here, which becomes the newest of the remembered ones."""
        eps = self.task.eps(self.state, time, self.batch)
        self.outputs = [eps, *self.outputs][: self._history]
        return eps

    def moved(self, state: np.ndarray, weights: np.ndarray) -> tf.Tensor:
        """`state @ u + sum_j weights_j @ eps_j`, weights of outputs not there yet left out."""
        terms = zip((state, *weights), (self.state, *self.outputs), strict=False)
        apply = self.task.sde.apply
        parts = (apply(tf.constant(matrix, u.dtype), u) for matrix, u in terms)
        return functools.reduce(operator.add, parts)

    def step(self, state: np.ndarray, weights: np.ndarray) -> None:
        """Go to what `moved` gives."""
        self.state = self.moved(state, weights)
