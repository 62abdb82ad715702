"""The steps from and to a time at which nothing is left of the data.

There `Psi(t', t)` does not exist and eps is `R^{-1} u`, which says nothing of the data: the network
returns the predicted clean state D instead (`LinearSDE.signal_free`). With D in the place of eps a
step is `u' = R' R^{-1} u + Psi(t', 0) D`, because `Psi(t, 0) = 0`, and everything is finite.

The step is corrected by the prediction at its end, which the sampler makes anyway: with
`Z(tau) = R' R_tau^{-1} Psi(tau, 0)` and D linear in time, `u' + C (D' - D)`, `C = int l dZ`, has a
local error of third order, so that samplers of up to that order keep it; those of first order do
not need it and are left as they are published.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from gddim_tf.numerics.quadrature import stieltjes
from gddim_tf.samplers.table import Table, multistep_table
from gddim_tf.sdes import LinearSDE

Fill = Callable[[LinearSDE, np.ndarray], Table]
# Weights of the state and of the output.
_Move = tuple[np.ndarray, np.ndarray]


def from_no_signal(sde: LinearSDE, times: np.ndarray, fill: Fill) -> Table:
    """The table of a sampler on a grid that starts where there is no signal.

    Args:
      sde: the diffusion.
      times: `[steps + 1]`.
      fill: the sampler's rows on a grid with signal.

    Returns:
      A table of one row more than that of the grid without its first time.
    """
    start, end = times[:2]
    carry = sde.root(end) @ np.linalg.inv(sde.root(start))
    signal = sde.transition(end, 0.0)
    if len(times) == 2:
        return _single_row(sde, start, carry, signal)
    rest = fill(sde, times[1:])
    if rest.start is None:
        lead, ended, rest = _corrected(sde, start, end, (carry, signal), rest)
        return _joined(sde, start, lead, ended, None, rest)
    matrix, noise = rest.start  # begins with noise of its own, and is not corrected
    lead = matrix @ carry, matrix @ signal
    return _joined(sde, start, lead, lead, noise, rest)


def to_no_signal(sde: LinearSDE, times: np.ndarray, fill: Fill) -> Table:
    """The same for a grid that ends there: the last step goes to `R eps`, all that a state is."""
    start, end = times[-2:]
    if len(times) == 2:
        return _single_row(sde, start, 0 * sde.root(end), sde.root(end))
    return _with_last_row(sde, start, sde.root(end), fill(sde, times[:-1]))


def _single_row(sde: LinearSDE, time: float, state: np.ndarray, weight: np.ndarray) -> Table:
    return multistep_table(np.array([time]), state[None], [weight[None]], mode_index=sde.mode_index)


def _corrected(
    sde: LinearSDE, start: float, end: float, move: _Move, rest: Table
) -> tuple[_Move, _Move, Table]:
    """The first row's move, what it commits, and the rows that add the correction to it.

    What is committed is u' without the part of D' that the next output brings: where the table
    stores D' that part is `C D'`, where it stores eps' it is `C Q eps'` with `D' = P u' + Q eps'`.
    """
    carry, signal = move
    if rest.history + rest.scratch < 2:  # of first order, which this step is by itself
        return move, move, rest
    inside = sde.quadrature_times(start, end)
    flow = sde.root(end) @ np.linalg.inv(sde.root(inside)) @ sde.transition(inside, 0 * inside)
    share = stieltjes(((start - inside) / (start - end))[None], flow)[0]
    inverse = np.linalg.inv(signal)
    if rest.data_state is not None and not _stores_data(sde, end, rest.data_state[0]):
        return move, move, rest
    if rest.data_state is None:
        kept = np.eye(sde.components) + share @ inverse
        brought = -share @ inverse @ sde.root(end)
        ended = kept @ carry, kept @ signal - share
    else:
        brought, ended = share, (carry, signal - share)
    return move, ended, _with_correction(rest, brought)


def _stores_data(sde: LinearSDE, end: float, data_state: np.ndarray) -> bool:
    return np.allclose(data_state @ sde.transition(end, 0.0), np.eye(sde.components))


def _with_correction(rest: Table, brought: np.ndarray) -> Table:
    """The rows of the first step, whose state is the committed one and `brought` times output 0."""
    pairs = [("state", "prediction")]
    if rest.corrected_state is not None:
        pairs.append(("corrected_state", "corrected_prediction"))
    columns = {name: getattr(rest, name).copy() for pair in pairs for name in pair}
    kept: list[int] = []
    scratch: list[int] = []
    for i in range(rest.nfe):
        (kept if rest.keep[i] else scratch).insert(0, i)
        slots = kept[: rest.history] + [-1] * (rest.history - len(kept)) + scratch[: rest.scratch]
        slot = slots.index(0)
        for state, prediction in pairs:
            columns[prediction][i, slot] += columns[state][i] @ brought
        if rest.commit[i]:
            break
    return dataclasses.replace(rest, **columns)


def _joined(
    sde: LinearSDE, start: float, lead: _Move, ended: _Move, noise: np.ndarray | None, rest: Table
) -> Table:
    """The first row before the others."""
    shape = rest.state.shape[1:]
    identity = np.broadcast_to(np.eye(sde.components), shape)
    # the first output has a slot of its own, which no later row looks at
    history, scratch = (rest.history, rest.scratch) if rest.scratch else (max(rest.history, 1), 0)
    slot = history if scratch else 0

    def weights(own: np.ndarray, column: np.ndarray) -> np.ndarray:
        widened = np.zeros((rest.nfe + 1, history + scratch, *shape))
        widened[0, slot] = own
        widened[1:, : rest.history] = column[:, : rest.history]
        widened[1:, history:] = column[:, rest.history :]
        return widened

    def before(own: np.ndarray, column: np.ndarray) -> np.ndarray:
        return np.concatenate([np.broadcast_to(own, (1, *column.shape[1:])), column])

    columns: dict[str, Any] = {}
    corrects = rest.corrected_state is not None or ended is not lead
    if corrects:
        later, weighed = rest.committing
        columns["corrected_state"] = before(ended[0], later)
        columns["corrected_prediction"] = weights(ended[1], weighed)
    if rest.noise is not None:
        columns["noise"] = before(np.zeros(shape) if noise is None else noise[None], rest.noise)
    if rest.data_state is not None and rest.data_eps is not None:
        columns["data_state"] = before(np.zeros(shape), rest.data_state)
        columns["data_eps"] = before(identity, rest.data_eps)
    if rest.own is not None:
        columns["own"] = before(np.zeros(shape), rest.own)
    return dataclasses.replace(
        rest,
        time=np.concatenate([[start], rest.time]),
        state=before(lead[0], rest.state),
        prediction=weights(lead[1], rest.prediction),
        history=history,
        keep=np.concatenate([[not scratch], rest.keep]),
        commit=np.concatenate([[True], rest.commit]),
        start=None,
        **columns,
    )


def _with_last_row(sde: LinearSDE, start: float, root: np.ndarray, table: Table) -> Table:
    shape = table.state.shape[1:]
    last = dataclasses.replace(
        table,
        time=np.append(table.time, start),
        keep=np.append(table.keep, True),
        commit=np.append(table.commit, True),
        history=max(table.history, 1),
    )
    state = np.zeros((1, *shape))
    extra = last.history - table.history
    columns: dict[str, Any] = {}

    def weights(column: np.ndarray, own: np.ndarray) -> np.ndarray:
        room = np.zeros((table.nfe, extra, *shape))
        split = table.history
        widened = np.concatenate([column[:, :split], room, column[:, split:]], axis=1)
        row = np.zeros((1, *widened.shape[1:]))
        row[0, 0] = own
        return np.concatenate([widened, row])

    if table.corrected_state is not None:
        later, weighed = table.committing
        columns["corrected_state"] = np.concatenate([later, state])
        columns["corrected_prediction"] = weights(weighed, root)
    if table.data_state is not None and table.data_eps is not None:  # the last row stores eps
        columns["data_state"] = np.concatenate([table.data_state, state])
        columns["data_eps"] = np.concatenate(
            [table.data_eps, np.broadcast_to(np.eye(sde.components), (1, *shape))]
        )
    if table.own is not None:
        columns["own"] = np.concatenate([table.own, state])
    return dataclasses.replace(
        last,
        state=np.concatenate([table.state, state]),
        prediction=weights(table.prediction, root),
        **columns,
    )
