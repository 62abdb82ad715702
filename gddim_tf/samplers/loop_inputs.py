"""What the compiled loop takes, and what of it shapes the graph."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.table import WITHOUT_ROWS, Table


@dataclasses.dataclass(frozen=True)
class Layout:
    """What of a table shapes the graph; two tables with equal layouts run in the same graph.

    Attributes:
      history: how many kept outputs its rows refer to.
      scratch: how many scratch outputs.
      uniform: whether every row keeps its output and ends a step.
      matrix: `[*modes, k, k]`, the shape of its matrices.
      columns: the names of the columns that are there.
    """

    history: int
    scratch: int
    uniform: bool
    matrix: tuple[int, ...]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, table: Table) -> Layout:
        """The layout of a table."""
        return cls(
            history=table.history,
            scratch=table.scratch,
            uniform=bool(np.all(table.keep) and np.all(table.commit)),
            matrix=table.state.shape[1:],
            columns=tuple(sorted(table.arrays())),
        )


class LoopInputs(NamedTuple):
    """The tensors of one run.

    Attributes:
      state: where it starts, `[batch, ..., k * C]`.
      columns: those of the table, by the names of `Table.arrays`.
      context: further arguments of the network by name, each with the batch as its first axis.
      seeds: None, or `[batch, 2]` int32, from which each image draws its noise.
      noise: None, or the noise itself, `[draws, batch, ..., k * C]`.
    """

    state: tf.Tensor
    columns: dict[str, tf.Tensor]
    context: dict[str, tf.Tensor]
    seeds: tf.Tensor | None = None
    noise: tf.Tensor | None = None

    def images(self, index: tf.Tensor) -> LoopInputs:
        """The same for some of the images, those at `index`."""

        def chosen(tensor: tf.Tensor | None, axis: int = 0) -> tf.Tensor | None:
            return None if tensor is None else tf.gather(tensor, index, axis=axis)

        return LoopInputs(
            state=tf.gather(self.state, index),
            columns=self.columns,
            context={name: tf.gather(value, index) for name, value in self.context.items()},
            seeds=chosen(self.seeds),
            noise=chosen(self.noise, axis=1),
        )

    def spec(self) -> LoopInputs:
        """Shapes and dtypes, with the axes left open that may change without a new graph."""
        return LoopInputs(
            state=_open(self.state, 1),
            columns={n: _open(c, int(n not in WITHOUT_ROWS)) for n, c in self.columns.items()},
            context={name: _open(value, 1) for name, value in self.context.items()},
            seeds=None if self.seeds is None else _open(self.seeds, 1),
            noise=None if self.noise is None else _open(self.noise, 2),
        )


def _open(tensor: tf.Tensor, axes: int) -> tf.TensorSpec:
    return tf.TensorSpec((*(None,) * axes, *tensor.shape[axes:]), tensor.dtype)


def columns_as_tensors(columns: dict[str, np.ndarray], dtype: tf.DType) -> dict[str, tf.Tensor]:
    """The columns of `Table.arrays`, cast once from float64 to the dtype of the state."""
    return {
        name: tf.constant(column, dtype if column.dtype.kind == "f" else None)
        for name, column in columns.items()
    }
