"""The matrices of a table, made ready so that a row takes all of its own in one step."""

from __future__ import annotations

import dataclasses
import math

import tensorflow as tf

from gddim_tf.samplers.components import Components, Matrix
from gddim_tf.samplers.loop_inputs import Layout, Slot


@dataclasses.dataclass(frozen=True)
class RowWeights:
    """All matrices of all rows in one tensor.

    Attributes:
      components: of the states they act on.
      slots: what each matrix of a row is.
      modes: how many modes they have, or None.
      entries: `[rows, modes or 1, slots * k * k]`.
      mode_of_each: to which mode each number of a component belongs, `[pixels * C]`.
    """

    components: Components
    slots: tuple[Slot, ...]
    modes: int | None
    entries: tf.Tensor
    mode_of_each: tf.Tensor

    @classmethod
    def of(
        cls, columns: dict[str, tf.Tensor], layout: Layout, components: Components
    ) -> RowWeights:
        """Those of the columns of a table."""
        modes, index = layout.matrix[:-2], columns.get("mode_index")
        if index is None:
            index = tf.reshape(tf.range(math.prod(modes)), modes)
        matrices = []
        for name in dict.fromkeys(name for name, _ in layout.slots):
            several = columns[name].shape.rank > len(layout.matrix) + 1
            matrices.append(columns[name] if several else columns[name][:, None])
        return cls(
            components,
            layout.slots,
            math.prod(modes) if modes else None,
            _by_mode(tf.concat(matrices, axis=1), math.prod(modes)),
            tf.reshape(tf.broadcast_to(index, components.part_shape), [-1]),
        )

    def row(self, i: tf.Tensor) -> tf.Tensor:
        """What `matrices` takes: the entries of row i."""
        return tf.gather(self.entries, i)

    def matrices(self, row: tf.Tensor) -> dict[Slot, Matrix]:
        """The matrices of a row, ready to multiply components."""
        return dict(zip(self.slots, self._spread(row), strict=True))

    def start(self, columns: dict[str, tf.Tensor]) -> list[Matrix]:
        """The matrices of a start map: of the state and of the noise."""
        pair = tf.stack([columns["start_matrix"], columns["start_noise"]])[None]
        return self._spread(_by_mode(pair, self.modes or 1)[0])

    def _spread(self, entries: tf.Tensor) -> list[Matrix]:
        """Matrices from their entries `[modes or 1, n * k * k]`, each as wide as a component."""
        count, k = entries.shape[-1], self.components.count
        if self.modes is None:
            flat = tf.unstack(tf.reshape(entries, [-1]), num=count)
        else:  # all entries of a mode are copied at once
            flat = tf.unstack(tf.transpose(tf.gather(entries, self.mode_of_each)), num=count)
        rows = [flat[start : start + k] for start in range(0, count, k)]
        return [rows[start : start + k] for start in range(0, len(rows), k)]


def _by_mode(matrices: tf.Tensor, modes: int) -> tf.Tensor:
    """`[rows, n, *modes, k, k]` -> `[rows, modes, n * k * k]`, several axes of modes as one."""
    count, k = matrices.shape[1], matrices.shape[-1]
    ordered = tf.transpose(tf.reshape(matrices, [-1, count, modes, k * k]), [0, 2, 1, 3])
    return tf.reshape(ordered, [-1, modes, count * k * k])
