"""Tables for people: a line for each row, and a picture of times and weights."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.extras import missing

if TYPE_CHECKING:
    from gddim_tf.samplers.table import Table

# More rows than these are cut in the middle.
_SHOWN = 24


def summary(table: Table) -> str:
    """What a table is, in a line: `Table(nfe=10, history=2, components=1, deterministic)`."""
    kind = "stochastic" if table.stochastic else "deterministic"
    modes = math.prod(table.state.shape[1:-2])
    per_mode = f", modes={modes}" if modes > 1 else ""
    return (
        f"Table(nfe={table.nfe}, history={table.history}, components={table.components}"
        f"{per_mode}, {kind})"
    )


def lines(table: Table) -> str:
    """The rows of a table, one line each.

    A weight is shown as its number, or, where it is a matrix or differs between modes, as the
    largest norm of its matrices.

    Args:
      table: any.

    Returns:
      A heading and one line for each row; of many rows the middle ones are left out.
    """
    plain = table.state[0].size == 1
    state, outputs = _sizes(table.state), _sizes(table.prediction, 2)
    noise = None if table.noise is None else _sizes(table.noise)
    heading = f"{'row':>4} {'time':>12} {'state':>10}  outputs, newest first"
    heading += "" if plain else " (norms)"
    rows = [summary(table), heading]
    every = range(table.nfe)
    cut = table.nfe > _SHOWN
    for i in (*every[: _SHOWN // 2], *every[-_SHOWN // 2 :]) if cut else every:
        if cut and i == table.nfe - _SHOWN // 2:
            rows.append("  ...")
        used = np.trim_zeros(outputs[i], "b")
        line = f"{i:4d} {table.time[i]:12.6g} {state[i]:10.4f}  "
        line += " ".join(f"{weight:9.4f}" if weight else f"{'.':>9}" for weight in used)
        line += "" if noise is None else f"  noise {noise[i]:.4f}"
        line += "" if table.keep[i] else "  (not kept)"
        line += "" if table.commit[i] else "  (inside a step)"
        rows.append(line)
    return "\n".join(rows)


def plot(table: Table, path: str | os.PathLike[str]) -> None:
    """Draw where a table asks the network, and how it weighs what it has.

    Args:
      table: any.
      path: the picture, `.png`, `.pdf` or `.svg`; written atomically.

    Raises:
      ImportError: without matplotlib.
      OSError: if the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing("evaluation", "a picture of a table", error) from error
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    times, weights = figure.subplots(1, 2)
    times.semilogy(np.arange(table.nfe), table.time, "o-", markersize=4)
    times.set(xlabel="row", ylabel="time of the evaluation", title=summary(table))
    times.title.set_fontsize(9)
    plain = table.state[0].size == 1
    weights.plot(_sizes(table.state), "o-", markersize=4, label="state")
    for j, column in enumerate(_sizes(table.prediction, 2).T):
        name = f"kept output {j}" if j < table.history else f"scratch output {j - table.history}"
        weights.plot(column, "o-", markersize=3, label=name)
    if table.noise is not None:
        weights.plot(_sizes(table.noise), "x-", markersize=4, label="noise")
    weights.set(xlabel="row", ylabel="weight" if plain else "largest norm of the weight's matrices")
    weights.legend(fontsize=8, title="0 is the newest", title_fontsize=8)
    with atomic_write(path) as draft:
        figure.savefig(draft, dpi=150)


def _sizes(matrices: np.ndarray, leading: int = 1) -> np.ndarray:
    """The number of each weight `[*leading, *modes, k, k]`, or the largest norm over the modes."""
    shape = matrices.shape[:leading]
    if matrices[(0,) * leading].size == 1:
        return matrices.reshape(shape)
    return np.linalg.norm(matrices, axis=(-2, -1)).reshape(*shape, -1).max(axis=-1)
