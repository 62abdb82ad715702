"""Pictures of the tables: Frechet distance against evaluations."""

from __future__ import annotations

import pathlib

from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation.tables.definitions import Table
from gddim_tf.evaluation.tables.results import Results

_TICKS = (5, 10, 20, 50, 100, 200, 500, 1000)
_TITLES = {"vp": "VP (DDPM)", "bdm": "BDM", "cld": "CLD"}


def plot_diffusions(results: Results, floor: float | None, path: pathlib.Path) -> bool:
    """One panel per diffusion of the gDDIM table.

    Args:
      results: of the cells.
      floor: distance between real images of two splits, a dashed line, or None.
      path: the picture to write.

    Returns:
      Whether there was anything to draw.
    """
    table = next((table for table in results.tables if table.name == "gddim"), None)
    if table is None:
        return False
    panels = {
        title: {
            row.label.split(", ", 1)[1]: _curve(results, table, row.label)
            for row in table.rows
            if row.kind == kind
        }
        for kind, title in _TITLES.items()
        if kind in results.sdes
    }
    return _draw(panels, floor, path)


def plot_tables(results: Results, floor: float | None, path: pathlib.Path) -> bool:
    """One panel per further table with more than one column; arguments as `plot_diffusions`."""
    panels = {
        table.title: {row.label: _curve(results, table, row.label) for row in table.rows}
        for table in results.tables
        if table.name in ("ddim", "pndm", "deis", "root", "corrector")
    }
    return _draw(panels, floor, path)


def _curve(results: Results, table: Table, label: str) -> list[tuple[int, float, float]]:
    """Evaluations, mean and spread of a row, in the order of the evaluations."""
    entries = [results.entry(table.name, label, column) for column in table.columns]
    return sorted(
        (entry.column + entry.extra, entry.frechet, entry.spread)
        for entry in entries
        if entry is not None and not entry.failed
    )


def _draw(panels: dict[str, dict[str, list]], floor: float | None, path: pathlib.Path) -> bool:
    panels = {title: curves for title, curves in panels.items() if any(curves.values())}
    if not panels:
        return False
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure, axes = pyplot.subplots(
        lines, columns, figsize=(5 * columns, 4.2 * lines), squeeze=False
    )
    for axis, (title, curves) in zip(axes.flat, panels.items(), strict=False):
        for label, curve in curves.items():
            if curve:
                nfe, mean, spread = zip(*curve, strict=True)
                axis.errorbar(nfe, mean, spread, marker=".", capsize=2, lw=1.2, label=label)
        if floor is not None:
            axis.axhline(floor, color="black", ls="--", lw=0.8, label="real images, held out")
        axis.set(title=title, xlabel="network evaluations", xscale="log", yscale="log")
        used = [nfe for curve in curves.values() for nfe, _, _ in curve]
        ticks = [tick for tick in _TICKS if min(used) <= tick <= max(used)]
        axis.set_xticks(ticks, [str(tick) for tick in ticks])
        axis.xaxis.set_minor_locator(ticker.NullLocator())
        axis.grid(alpha=0.3, which="both")
        axis.legend(fontsize=7)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for axis in axes[:, 0]:
        axis.set_ylabel("Frechet distance")
    figure.tight_layout()
    with atomic_write(path) as draft:
        figure.savefig(draft, dpi=100)
    pyplot.close(figure)
    return True
