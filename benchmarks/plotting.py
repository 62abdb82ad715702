"""Figures of several panels, drawn without a display."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.extras import missing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def panels(count: int, size: tuple[float, float], columns: int = 3) -> tuple[Figure, list[Axes]]:
    """A figure of so many axes, row by row.

    Args:
      count: of the panels.
      size: width and height of one, in inches.
      columns: at most so many side by side.

    Returns:
      The figure, and the axes of its panels.

    Raises:
      ImportError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing("evaluation", "a plot", error) from error
    columns = min(columns, count)
    lines = -(-count // columns)
    figure = Figure(figsize=(size[0] * columns, size[1] * lines))
    axes = list(np.ravel(figure.subplots(lines, columns)))
    figure.subplots_adjust(hspace=0.3)  # so that a title is clear of the label above it
    for axis in axes[count:]:
        axis.remove()
    return figure, axes[:count]


def ticks(axis: Axes, values: list[int]) -> None:
    """Label a logarithmic axis of evaluations at these values alone."""
    from matplotlib import ticker

    axis.set_xticks(values, [str(value) for value in values])
    axis.xaxis.set_minor_locator(ticker.NullLocator())


def save(figure: Figure, path: pathlib.Path, dpi: int = 100) -> None:
    """Write the picture, atomically."""
    with atomic_write(path) as draft:
        figure.savefig(draft, dpi=dpi, bbox_inches="tight")
