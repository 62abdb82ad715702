"""Several tables of one layout in a graph, behind one compiled loop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.loop import EpsFn, compiled_loop
from gddim_tf.samplers.loop_inputs import Layout, LoopInputs, columns_as_tensors
from gddim_tf.samplers.table import WITHOUT_ROWS, Table


class StoredLoop:
    """The sampling loop over tables stored one after another; which one runs is an input.

    Args:
      eps_fn: `(u, t) -> eps`, states and times `[batch]` to the same shape, with the
        names of the context as its further arguments.
      tables: of one layout.
      state_shape: of one state, `(height, width, k * C)`.
      context: of the further arguments of `eps_fn` by name, each `[batch, ...]`.
      jit_compile: compile the loop with XLA.
    """

    def __init__(
        self,
        eps_fn: EpsFn,
        tables: Sequence[Table],
        state_shape: tuple[int, ...],
        context: dict[str, tf.TensorSpec],
        jit_compile: bool = False,
    ) -> None:
        layout, stored = Layout.of(tables[0]), _stored(tables)
        self.stochastic = tables[0].stochastic
        ends = np.cumsum([table.nfe for table in tables])
        starts = ends - [table.nfe for table in tables]

        def loop(which: tf.Tensor, inputs: LoopInputs) -> tf.Tensor:
            rows = slice(tf.constant(starts, tf.int32)[which], tf.constant(ends, tf.int32)[which])
            columns = {n: c[which if n in WITHOUT_ROWS else rows] for n, c in stored.items()}
            inputs = inputs._replace(columns=columns)
            run = compiled_loop(eps_fn, layout, inputs, jit_compile=jit_compile)
            state, _, failed = run(inputs)
            message = "the network must return finite values, received NaN or Inf at evaluation"
            finite = tf.raw_ops.Assert(condition=failed < 0, data=[message, failed + 1])
            with tf.control_dependencies([finite]):
                return tf.identity(state)

        spec = LoopInputs(
            state=tf.TensorSpec([None, *state_shape]),
            columns={},
            context=context,
            seeds=tf.TensorSpec([None, 2], tf.int32) if self.stochastic else None,
        )
        function = tf.function(loop, autograph=False)
        self._run = function.get_concrete_function(tf.TensorSpec([], tf.int32), spec)

    def __call__(
        self,
        which: int | tf.Tensor,
        state: tf.Tensor,
        seeds: tf.Tensor | None,
        context: dict[str, tf.Tensor],
    ) -> tf.Tensor:
        """The final states of table number `which` from the given ones.

        Args:
          which: position in `tables`.
          state: `[batch, height, width, k * C]`.
          seeds: `[batch, 2]`; not needed by deterministic tables.
          context: `[batch]` each.
        """
        inputs = LoopInputs(state, {}, context, seeds if self.stochastic else None)
        return self._run(tf.convert_to_tensor(which, tf.int32), inputs)


def _stored(tables: Sequence[Table]) -> dict[str, tf.Tensor]:
    """Every column of all tables: their rows one after another, or an entry per table."""
    columns = {}
    for name in tables[0].arrays():
        parts = [table.arrays()[name] for table in tables]
        columns[name] = np.stack(parts) if name in WITHOUT_ROWS else np.concatenate(parts)
    return columns_as_tensors(columns, tf.float32)
