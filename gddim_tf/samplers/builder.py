"""Rows of a table, written one after another and packed at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from gddim_tf.numerics.linalg import product
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE

Weights = Sequence[np.ndarray] | np.ndarray

# The weight of the state and those of the outputs, newest first.
Move = tuple[np.ndarray, Weights]


@dataclasses.dataclass(frozen=True)
class Row:
    """One network evaluation and what follows it; see `Table` for the meaning of the columns.

    Attributes:
      time: where the network is evaluated.
      state: weight of the committed state, `[*modes, k, k]`.
      kept: weights of the kept outputs, newest first, each `[*modes, k, k]`.
      scratch: weights of the scratch outputs, newest first.
      keep: whether this output is kept.
      commit: whether this row ends a step.
      corrected_state: None, or the weight of the committed state in the state that is committed.
      corrected: weights of the kept outputs in the state that is committed.
      noise: None, or the factor of the fresh noise.
    """

    time: float
    state: np.ndarray
    kept: Weights
    scratch: Weights = ()
    keep: bool = True
    commit: bool = True
    corrected_state: np.ndarray | None = None
    corrected: Weights = ()
    noise: np.ndarray | None = None


def pack(rows: Sequence[Row], sde: LinearSDE) -> Table:
    """The table of the rows, padded with zeros to the longest of them.

    Args:
      rows: at least one. If any row corrects what it commits, every row may; one that does not
        commits its own result. If any row draws noise, the others draw none of it.
      sde: whose matrices the rows hold.

    Returns:
      The table.
    """
    history = max(max(len(row.kept), len(row.corrected)) for row in rows)
    scratch = max(len(row.scratch) for row in rows)
    shape = (*sde.modes, sde.components, sde.components)

    def padded(kept: Weights, extra: Weights) -> np.ndarray:
        column = np.zeros((history + scratch, *shape))
        for j, weight in enumerate(kept):
            column[j] = weight
        for j, weight in enumerate(extra):
            column[history + j] = weight
        return column

    columns = {}
    if any(row.corrected_state is not None for row in rows):
        ends = [
            (row.state, padded(row.kept, row.scratch))
            if row.corrected_state is None
            else (row.corrected_state, padded(row.corrected, ()))
            for row in rows
        ]
        columns["corrected_state"] = np.stack([state for state, _ in ends])
        columns["corrected_prediction"] = np.stack([prediction for _, prediction in ends])
    if any(row.noise is not None for row in rows):
        zero = np.zeros(shape)
        columns["noise"] = np.stack([zero if row.noise is None else row.noise for row in rows])
    return Table(
        time=np.array([row.time for row in rows], np.float64),
        state=np.stack([np.broadcast_to(row.state, shape) for row in rows]),
        prediction=np.stack([padded(row.kept, row.scratch) for row in rows]),
        history=history,
        keep=np.array([row.keep for row in rows]),
        commit=np.array([row.commit for row in rows]),
        mode_index=sde.mode_index,
        **columns,
    )


def correcting_rows(
    times: np.ndarray, moves: Sequence[Move], corrections: Sequence[Move]
) -> list[Row]:
    """Rows that each correct the step before with their output, and predict the next from there.

    Args:
      times: where the steps start, at least `[steps]`.
      moves: the prediction of each step from a corrected state.
      corrections: the same of each step but the last, with the output at its end, which comes
        first; there is no evaluation left that could correct the last one.

    Returns:
      One row per step.
    """
    rows = []
    for i, (psi, weights) in enumerate(moves):
        before, correction = corrections[i - 1] if i else (np.eye(psi.shape[-1]), ())
        both = np.zeros((max(len(weights), len(correction)), *psi.shape))
        both[: len(weights)] += weights
        for j, weight in enumerate(correction):
            both[j] += product(psi, weight)
        before = np.broadcast_to(before, psi.shape)
        last = i + 1 == len(moves)
        corrected = {} if last else {"corrected_state": before, "corrected": correction}
        rows.append(Row(times[i], product(psi, before), both, **corrected))
    return rows


def steps_within(nfe: int, cost: Callable[[int], int], method: str) -> int:
    """The number of steps that costs exactly `nfe` evaluations.

    Args:
      nfe: the budget.
      cost: evaluations that a number of steps takes, strictly increasing.
      method: its name, for the message.

    Returns:
      The number of steps.

    Raises:
      ValueError: if no number of steps costs that; the message names the nearest that do.
    """
    steps = 1
    while cost(steps) < nfe:
        steps += 1
    if cost(steps) == nfe:
        return steps
    nearest = f"{cost(steps - 1)} or {cost(steps)}" if steps > 1 else f"at least {cost(1)}"
    raise ValueError(f"`nfe` must be {nearest} for {method}, received {nfe}")
