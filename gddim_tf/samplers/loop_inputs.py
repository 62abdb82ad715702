"""What the compiled loop takes, and what of it shapes the graph."""

from __future__ import annotations

import dataclasses
import itertools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.table import WITHOUT_ROWS, Table

# The columns of matrices by which a row multiplies something, in the order of their slots.
_MATRICES = (
    "state",
    "prediction",
    "corrected_state",
    "corrected_prediction",
    "data_state",
    "data_eps",
    "own",
    "noise",
)

# Those without which a row would have nothing to add to.
_ALWAYS = ("state", "corrected_state", "data_state", "data_eps")

# A matrix of a row: the name of its column, and which of the outputs it weighs (0 for the others).
Slot = tuple[str, int]


class Kind(NamedTuple):
    """What rows do alike, whatever their numbers.

    Attributes:
      keep: whether their output is kept, or goes to the scratch outputs.
      commit: whether they end a step.
      used: the slots whose matrices are not 0 in all of them, and those of the state.
    """

    keep: bool
    commit: bool
    used: frozenset[Slot]


@dataclasses.dataclass(frozen=True)
class Layout:
    """What of a table shapes the graph; two tables with equal layouts run in the same graph.

    Attributes:
      history: how many kept outputs its rows refer to.
      scratch: how many scratch outputs.
      matrix: `[*modes, k, k]`, the shape of its matrices.
      columns: the names of the columns that are there.
      slots: the matrices of a row.
      kinds: of its rows, at most one of each pair of `keep` and `commit`.
    """

    history: int
    scratch: int
    matrix: tuple[int, ...]
    columns: tuple[str, ...]
    slots: tuple[Slot, ...]
    kinds: tuple[Kind, ...]

    @classmethod
    def of(cls, table: Table) -> Layout:
        """The layout of a table."""
        arrays = table.arrays()
        slots = tuple(
            (name, j)
            for name in _MATRICES
            if name in arrays
            for j in range(table.prediction.shape[1] if name.endswith("prediction") else 1)
        )
        return cls(
            history=table.history,
            scratch=table.scratch,
            matrix=table.state.shape[1:],
            columns=tuple(sorted(arrays)),
            slots=slots,
            kinds=_kinds(table, slots),
        )


def _kinds(table: Table, slots: tuple[Slot, ...]) -> tuple[Kind, ...]:
    arrays = table.arrays()
    if np.all(table.keep) and np.all(table.commit):  # all slots, so that every budget is alike
        return (Kind(True, True, frozenset(slots)),)
    kinds = []
    for keep, commit in itertools.product((False, True), repeat=2):
        rows = (table.keep == keep) & (table.commit == commit)
        if np.any(rows):
            used = [s for s in slots if s[0] in _ALWAYS or np.any(_matrices_at(arrays, s)[rows])]
            kinds.append(Kind(keep, commit, frozenset(used)))
    return tuple(kinds)


def _matrices_at(arrays: dict[str, np.ndarray], slot: Slot) -> np.ndarray:
    name, j = slot
    return arrays[name][:, j] if name.endswith("prediction") else arrays[name]


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
