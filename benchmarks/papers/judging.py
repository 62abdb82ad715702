"""Whether the orderings of the papers hold in the tables that were made here."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from benchmarks.papers.cells import Cell
from benchmarks.papers.ordering import Ordering
from benchmarks.papers.results import Entry, Results
from benchmarks.papers.yardstick import GROUPS

# Two-sided confidence of a verdict, and how far the budgets of two samplers may be apart.
_CONFIDENCE = 0.95
_MOST_EXTRA = 0.25

# The standard error of a gap between two cells, with the factor of an ordering.
GapError = Callable[[Cell, Cell, float], float]

VERDICTS = ("held", "within the spread", "not held", "other budgets")


@dataclasses.dataclass(frozen=True)
class Judged:
    """An ordering and the numbers that decide it.

    Attributes:
      ordering: what was asked.
      better: its entry.
      worse: its entry.
      verdict: "held", "not held", or "within the spread" if a paired t-test, at 95 %, cannot tell:
        over the seeds or, where there is one, over parts of its images; "other budgets" if the
        verdict went to a side that has spent a quarter more than the other, because one of them
        chooses its steps itself.
    """

    ordering: Ordering
    better: Entry
    worse: Entry
    verdict: str

    @property
    def seeds(self) -> int:
        """How many decided it."""
        return len(self.better.results)

    @property
    def missed(self) -> bool:
        """Whether the numbers do not show it, with about the same budgets."""
        return self.verdict in ("not held", "within the spread")


def judge(orderings: Sequence[Ordering], results: Results, gap_error: GapError) -> list[Judged]:
    """Look up every ordering whose two places were made.

    A place of one seed and fewer images is compared with the other place drawn in the same way,
    because the distance depends on the number of images.

    Args:
      orderings: to look up.
      results: of the tables.
      gap_error: for places of one seed, as `Yardstick` has it.

    Returns:
      What was found, in the order of the list.
    """
    found = []
    for ordering in orderings:
        draws = results.plan.compared(ordering)
        better, worse = (results.entry(ordering.table, *place, draws) for place in ordering.places)
        if better is not None and worse is not None:
            found.append(judged(ordering, better, worse, gap_error))
    return found


def judged(ordering: Ordering, better: Entry, worse: Entry, gap_error: GapError) -> Judged:
    """An ordering with the verdict of two entries."""
    return Judged(ordering, better, worse, _verdict(better, worse, ordering.factor, gap_error))


def _verdict(better: Entry, worse: Entry, factor: float, gap_error: GapError) -> str:
    if better.failed or worse.failed:
        return "not held" if better.failed else "held"
    # the seeds are the same on both sides, and so is the noise that they start from
    gaps = factor * worse.values("frechet") - better.values("frechet")
    if len(gaps) > 1:
        freedom, error = len(gaps) - 1, np.std(gaps, ddof=1) / math.sqrt(len(gaps))
    else:
        freedom, error = GROUPS - 1, gap_error(better.cells[0], worse.cells[0], factor)
    if abs(gaps.mean()) < stats.t.ppf(0.5 + _CONFIDENCE / 2, freedom) * error:
        return "within the spread"
    held = gaps.mean() >= 0
    surplus = (better if held else worse).extra - (worse if held else better).extra
    if (better.chosen or worse.chosen) and surplus > _MOST_EXTRA * worse.column:
        return "other budgets"
    return "held" if held else "not held"
