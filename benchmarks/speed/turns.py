"""Seconds of two sides in turn, so that a machine that drifts drifts for both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

# From nothing to the seconds of one run.
Run = Callable[[], float]


class Measured(NamedTuple):
    """One line of the report.

    Attributes:
      name: of what was run, and how.
      unit: of the two medians.
      ours: median of this package.
      peer: None, or that of the peer.
      ratio: None, or the median of the ratios of neighbouring runs, below 1 where ours is faster.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    ratio: float | None = None


def timed(function: Callable[[], object]) -> Run:
    """The seconds that a call takes."""

    def run() -> float:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    return run


def in_turn(
    name: str,
    ours: Run,
    peer: Run | None = None,
    *,
    runs: int = 5,
    unit: str = "ms",
    scale: float = 1e3,
) -> Measured:
    """Run both sides in turn, after one run of each that is not counted.

    Args:
      name: of the line.
      ours: a run of this package.
      peer: None, or one of the peer.
      runs: how many of each are counted.
      unit: of the report.
      scale: how many of them a second has.
    """
    pairs = []
    for _ in range(runs + 1):
        pairs.append((ours() * scale, peer() * scale if peer else None))
    mine = statistics.median(pair[0] for pair in pairs[1:])
    if peer is None:
        return Measured(name, unit, mine)
    theirs = statistics.median(pair[1] for pair in pairs[1:])
    ratio = statistics.median(pair[0] / pair[1] for pair in pairs[1:])
    return Measured(name, unit, mine, theirs, ratio)
