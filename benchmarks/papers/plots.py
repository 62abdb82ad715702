"""Pictures of the tables: Frechet distance against evaluations."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from benchmarks import plotting
from benchmarks.papers.definitions import Table
from benchmarks.papers.plan import Plan
from benchmarks.papers.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Evaluations, mean and spread, and whether it is of the fewer images of a long column.
Points = list[tuple[int, float, float, bool]]

_TICKS = (5, 10, 20, 50, 100, 200, 500, 1000)
_TITLES = {"vp": "VP (DDPM)", "bdm": "BDM", "cld": "CLD"}


def plot_diffusions(results: Results, chance: float, path: pathlib.Path) -> bool:
    """One panel per diffusion of the gDDIM table.

    Args:
      results: of the cells.
      chance: the distance to expect of as many real images, a dashed line.
      path: the picture to write.

    Returns:
      Whether there was anything to draw.
    """
    table = next((table for table in results.tables if table.name == "gddim"), None)
    if table is None:
        return False
    panels = {
        title: {
            row.label.split(", ", 1)[1]: curve(results, table, row.label)
            for row in table.rows
            if row.kind == kind
        }
        for kind, title in _TITLES.items()
        if kind in results.sdes
    }
    return _draw(panels, results.plan, chance, path)


def plot_tables(results: Results, chance: float, path: pathlib.Path) -> bool:
    """One panel per further table with more than one column; arguments as `plot_diffusions`."""
    panels = {
        table.title: {row.label: curve(results, table, row.label) for row in table.rows}
        for table in results.tables
        if table.name in ("ddim", "pndm", "deis", "root", "corrector")
    }
    return _draw(panels, results.plan, chance, path)


def curve(results: Results, table: Table, label: str) -> Points:
    """Of a row, in the order of the evaluations."""
    entries = [results.entry(table.name, label, column) for column in table.columns]
    plan = results.plan
    return sorted(
        (
            entry.column + entry.extra,
            entry.frechet,
            entry.spread,
            plan.draws(entry.column) != plan.draws(0),
        )
        for entry in entries
        if entry is not None and not entry.failed
    )


def _draw(
    panels: dict[str, dict[str, Points]], plan: Plan, chance: float, path: pathlib.Path
) -> bool:
    panels = {title: curves for title, curves in panels.items() if any(curves.values())}
    if not panels:
        return False
    figure, axes = plotting.panels(len(panels), (5, 4.2))
    for axis, (title, curves) in zip(axes, panels.items(), strict=True):
        axis.set(title=title, xlabel="network evaluations", ylabel="Frechet distance")
        _draw_panel(axis, curves, plan, chance)
    figure.tight_layout()
    plotting.save(figure, path)
    return True


def _draw_panel(axis: Axes, curves: dict[str, Points], plan: Plan, chance: float) -> None:
    from matplotlib import ticker

    for label, points in curves.items():
        if points:
            _draw_curve(axis, points, label)
    if any(long for points in curves.values() for *_, long in points):
        counts = " or ".join(str(count) for _, count in plan.long)
        (hollow,) = axis.plot([], [], label=f"one seed, {counts} images")
        hollow.set(marker="o", markerfacecolor="none", color="black", linestyle="none")
    told = f"{plan.count} real images, by chance"
    axis.axhline(chance, color="black", ls="--", lw=0.8, label=told)
    axis.set(xscale="log", yscale="log")
    used = [nfe for points in curves.values() for nfe, *_ in points]
    plotting.ticks(axis, [tick for tick in _TICKS if min(used) <= tick <= max(used)])
    axis.yaxis.set_minor_locator(ticker.LogLocator(subs=(2, 3, 5)))
    for formatted in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
        formatted(ticker.FormatStrFormatter("%g"))
    axis.grid(alpha=0.3, which="both")
    axis.legend(fontsize=7)


def _draw_curve(axis: Axes, points: Points, label: str) -> None:
    """A line, and hollow apart from it what has fewer images: their distances are larger."""
    full = [point for point in points if not point[3]]
    nfe, mean, spread = ([point[i] for point in full] for i in range(3))
    line = axis.errorbar(nfe, mean, spread, marker=".", capsize=2, lw=1.2, label=label)
    for nfe, mean, _, long in points:
        if long:
            axis.plot(nfe, mean, "o", mfc="none", ms=5, color=line.lines[0].get_color())
