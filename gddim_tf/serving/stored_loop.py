"""Several tables of one layout in a graph, behind one compiled loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.loop import EpsFn, compiled_loop, context_tensors, table_tensors
from gddim_tf.samplers.loop_body import CONTEXT
from gddim_tf.samplers.table import WITHOUT_ROWS, Table


def layout(table: Table) -> tuple:
    """Tables of equal layouts can be stored in one loop."""
    start = table.nfe if table.start is not None else None  # its matrices are not rows
    columns = tuple(sorted(table.arrays()))
    return table.history, table.prediction.shape[1:], columns, table.clip, start


class StoredLoop:
    """The sampling loop over tables stored one after another; which one runs is an input.

    Args:
      eps_fn: as in `samplers.run`, with the names of the context as its further arguments.
      tables: of one layout.
      state_shape: of one state, `(height, width, k * C)`.
      context: dtypes of the further arguments of `eps_fn` by name, each `[batch]`.
      jit_compile: compile the loop with XLA.
    """

    def __init__(
        self,
        eps_fn: EpsFn,
        tables: Sequence[Table],
        state_shape: tuple[int, ...],
        context: dict[str, tf.DType],
        jit_compile: bool = False,
    ) -> None:
        joined = _joined(tables)
        self.stochastic = joined.stochastic
        ends = np.cumsum([table.nfe for table in tables])
        starts = ends - [table.nfe for table in tables]
        columns = table_tensors(joined, tf.float32)

        def loop(which: tf.Tensor, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
            rows = slice(tf.constant(starts, tf.int32)[which], tf.constant(ends, tf.int32)[which])
            chosen = {n: c if n in WITHOUT_ROWS else c[rows] for n, c in columns.items()}
            tensors = {**inputs, **chosen}
            run = compiled_loop(eps_fn, joined, tensors, jit_compile=jit_compile)
            state, _, failed = run(tensors)
            message = "the network must return finite values, received NaN or Inf at evaluation"
            finite = tf.raw_ops.Assert(condition=failed < 0, data=[message, failed + 1])
            with tf.control_dependencies([finite]):
                return tf.identity(state)

        specs = {"u_T": tf.TensorSpec([None, *state_shape])}
        if self.stochastic:
            specs["seeds"] = tf.TensorSpec([None, 2], tf.int32)
        for name, dtype in context.items():
            specs[CONTEXT + name] = tf.TensorSpec([None], dtype)
        function = tf.function(loop, autograph=False)
        self._run = function.get_concrete_function(tf.TensorSpec([], tf.int32), specs)

    def __call__(
        self, which: Any, state: tf.Tensor, seeds: tf.Tensor | None, context: dict[str, tf.Tensor]
    ) -> tf.Tensor:
        """The final states of table number `which` from the given ones.

        Args:
          which: position in `tables`.
          state: `[batch, height, width, k * C]`.
          seeds: `[batch, 2]`; not needed by deterministic tables.
          context: `[batch]` each.
        """
        inputs = {"u_T": state, **context_tensors(context)}
        if self.stochastic:
            inputs["seeds"] = seeds
        return self._run(tf.convert_to_tensor(which, tf.int32), inputs)


def _joined(tables: Sequence[Table]) -> Table:
    """The rows of all tables, one after another, as one table."""
    rows = {
        name: np.concatenate([table.arrays()[name] for table in tables])
        for name in tables[0].arrays()
        if name not in WITHOUT_ROWS
    }
    return dataclasses.replace(tables[0], **rows)
