"""Milliseconds an evaluation against the batch, how many evaluations there are, and the size."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Sequence

import gddim_tf as gd
from benchmarks.plotting import panels, save, ticks
from benchmarks.speed.network import loop_seconds
from benchmarks.speed.peer import Peer
from benchmarks.speed.turns import Measured, in_turn

# What grows, as the axis of a plot names it.
BATCH = "milliseconds an evaluation and image, batch"
COUNT = "milliseconds an evaluation of 4 images, evaluations"
SIZE = "milliseconds an evaluation of 4 images, pixels a side"


def scaling(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """Lines named after what grows and its value."""
    model = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.VPSDE())
    for batch in (1, 4, 16, 64, 256):
        run = loop_seconds(model, batch, 20)
        yield in_turn(f"{BATCH} {batch}", lambda r=run, b=batch: r() / b, runs=runs)
    for nfe in (1, 10, 100, 1000):
        yield in_turn(f"{COUNT} {nfe}", loop_seconds(model, 4, nfe), runs=min(runs, 3))
    for size in (8, 16, 32, 64):
        wide = gd.DiffusionModel.from_preset("ddpm_digits", gd.sdes.VPSDE(), image_size=size)
        yield in_turn(f"{SIZE} {size}", loop_seconds(wide, 4, 5), runs=runs)


def plot(lines: Sequence[Measured], path: pathlib.Path) -> None:
    """Draw what `scaling` found, a panel for each thing that grows.

    Raises:
      ImportError: if matplotlib is not installed.
    """
    series: dict[str, dict[int, float]] = {}
    for line in lines:
        name, value = line.name.rsplit(" ", 1)
        series.setdefault(name, {})[int(value)] = line.ours
    figure, axes = panels(len(series), (4.0, 3.0))
    for axis, (name, points) in zip(axes, series.items(), strict=True):
        label, grows = name.rsplit(", ", 1)
        axis.loglog(list(points), list(points.values()), "o-")
        ticks(axis, list(points))
        axis.set_xlabel(grows)
        axis.set_title(label, fontsize="small")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("{x:g}")
        axis.grid(alpha=0.3)
    save(figure, path)
