"""A sampler as a table: one row per network evaluation, a few small matrices per row."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np

from gddim_tf.samplers import table_view
from gddim_tf.samplers.clipping import Clip, DynamicThreshold

# What belongs to the whole table.
WITHOUT_ROWS = ("mode_index", "start_matrix", "start_noise", "clip", "threshold")


@dataclasses.dataclass(frozen=True, repr=False)
class Table:
    """What the sampling loop does, row by row.

    Row i evaluates `eps = network(point, time[i])`, puts it in front of the history (`keep`) or of
    the scratch outputs of the current step, and moves to

        `point = state[i] @ committed + sum_j prediction[i, j] @ outputs[j] + noise[i] @ z`

    where `outputs` are the kept ones, newest first, then the scratch ones, newest first. If
    `commit[i]`, a step has ended and `committed` becomes `point`, or, where the table has a second
    pair of weights (`corrected_state`, `corrected_prediction`), what those make of the same things.
    All matrices are float64 `[*modes, k, k]` in the coordinates of the SDE. `print(table)` shows
    the rows, `table.plot("table.png")` draws them.

    Attributes:
      time: `[rows]`, where the network is evaluated.
      state: `[rows, *modes, k, k]`.
      prediction: `[rows, history + scratch, *modes, k, k]`.
      history: how many kept outputs the rows refer to.
      keep: `[rows]`, whether the output is kept for later steps.
      commit: `[rows]`, whether the row ends a step.
      noise: `[rows, *modes, k, k]`, or None for a deterministic sampler.
      start: None, or a matrix and a noise factor `[*modes, k, k]` applied to the starting state.
      corrected_state: None, or `[rows, *modes, k, k]`.
      corrected_prediction: None, or like `prediction`.
      data_state: None, or P `[rows, *modes, k, k]`: the table stores `P point + Q eps`, not eps.
      data_eps: None, or Q, like `data_state`.
      own: None, or `[rows, *modes, k, k]`, the weight of the row's own eps beside what it stores.
      clip: None, or what the image component of a stored data prediction is clipped to.
      guidance: None, or `[rows]`, how much of the guidance each evaluation gets, from 0 to 1; the
        network is told as `share` `[batch]`.
      mode_index: None, or an integer array that spreads one axis of distinct modes over the image
        axes.

    Examples:
      >>> from gddim_tf.samplers import DDIM
      >>> from gddim_tf.sdes import CLD
      >>> table = DDIM().table(CLD(), nfe=10)
      >>> table.time.shape, table.state.shape, table.prediction.shape
      ((10,), (10, 2, 2), (10, 1, 2, 2))
    """

    time: np.ndarray
    state: np.ndarray
    prediction: np.ndarray
    history: int
    keep: np.ndarray
    commit: np.ndarray
    noise: np.ndarray | None = None
    start: tuple[np.ndarray, np.ndarray] | None = None
    corrected_state: np.ndarray | None = None
    corrected_prediction: np.ndarray | None = None
    data_state: np.ndarray | None = None
    data_eps: np.ndarray | None = None
    own: np.ndarray | None = None
    clip: Clip | None = None
    guidance: np.ndarray | None = None
    mode_index: np.ndarray | None = None

    @property
    def nfe(self) -> int:
        """Number of network evaluations: the number of rows."""
        return len(self.time)

    @property
    def scratch(self) -> int:
        """How many scratch outputs the rows refer to."""
        return self.prediction.shape[1] - self.history

    @property
    def components(self) -> int:
        """k, the number of state components per pixel."""
        return self.state.shape[-1]

    @property
    def committing(self) -> tuple[np.ndarray, np.ndarray]:
        """State and prediction weights of what a row commits: the second pair, if there is one."""
        if self.corrected_state is None or self.corrected_prediction is None:
            return self.state, self.prediction
        return self.corrected_state, self.corrected_prediction

    @property
    def stochastic(self) -> bool:
        """Whether fresh noise is drawn on the way."""
        return self.noise is not None or self.start is not None

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the times and the weights of the rows; needs matplotlib, see `table_view.plot`."""
        table_view.plot(self, path)

    def __repr__(self) -> str:
        return table_view.summary(self)

    def __str__(self) -> str:
        return table_view.lines(self)

    def arrays(self) -> dict[str, np.ndarray]:
        """The columns that are there, by name; what the compiled loop takes as its arguments."""
        columns = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        if self.start is not None:
            columns["start_matrix"], columns["start_noise"] = self.start
        if isinstance(self.clip, DynamicThreshold):
            columns["threshold"] = self.clip.column()
        elif self.clip is not None:
            columns["clip"] = np.asarray(self.clip, np.float64)
        return columns

    def __post_init__(self) -> None:
        for name, column in self.arrays().items():
            if column.dtype.kind == "f" and not np.all(np.isfinite(column)):
                raise ValueError(
                    f"the column `{name}` of the table is not finite; the grid holds a time at "
                    "which a matrix of the SDE is singular"
                )


def multistep_table(
    time: np.ndarray, state: np.ndarray, weights: list[np.ndarray], **columns: Any
) -> Table:
    """A table in which every row keeps its output and ends a step.

    Args:
      time: `[rows]`.
      state: `[rows, *modes, k, k]`.
      weights: for each row its prediction weights `[used, *modes, k, k]`, newest first; rows
        that use fewer than the longest are padded with zeros.
      **columns: further columns of `Table`.

    Returns:
      The table.
    """
    history = max(len(row) for row in weights)
    prediction = np.zeros((len(time), history, *state.shape[1:]))
    for i, row in enumerate(weights):
        prediction[i, : len(row)] = row
    always = np.ones(len(time), bool)
    return Table(np.asarray(time), state, prediction, history, always, always.copy(), **columns)
