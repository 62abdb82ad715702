"""What was measured, by table, row and column."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.papers.cells import Cell
from benchmarks.papers.definitions import ADAPTIVE, Row, Table
from benchmarks.papers.plan import Draws, Plan
from gddim_tf.evaluation.report import Result
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True)
class Entry:
    """A place in a table: the results of its seeds.

    Attributes:
      column: that it stands in.
      results: one per seed.
      cells: what they are results of.
      chosen: whether the sampler chose its steps itself.
    """

    column: int
    results: tuple[Result, ...]
    cells: tuple[Cell, ...] = ()
    chosen: bool = False

    @property
    def failed(self) -> str | None:
        """How a seed failed, in two words; None if none did."""
        return next((result.failed for result in self.results if result.failed), None)

    @property
    def frechet(self) -> float:
        """Mean over the seeds; infinite if one failed."""
        return self.mean("frechet")

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds, 0 for one."""
        return float(np.std(self.values("frechet"), ddof=1)) if len(self.results) > 1 else 0.0

    @property
    def extra(self) -> int:
        """Network evaluations beyond the column's number, the mean over the seeds."""
        return round(np.mean([result.spent for result in self.results])) - self.column

    def values(self, name: str) -> np.ndarray:
        """A measured number of every seed, `[seeds]`."""
        return np.array([result.measures[name] for result in self.results])

    def mean(self, name: str) -> float:
        """Mean of a measured number over the seeds; infinite if one failed."""
        return math.inf if self.failed else float(self.values(name).mean())


class Results:
    """The results that there are for some tables.

    Args:
      tables: that were made.
      plan: how much was drawn.
      sdes: by kind of model.
      finished: the result of a cell, None if it is not there.
    """

    def __init__(
        self,
        tables: Sequence[Table],
        plan: Plan,
        sdes: dict[str, LinearSDE],
        finished: Callable[[Cell], Result | None],
    ) -> None:
        self.tables, self.plan, self.sdes = tuple(tables), plan, sdes
        self._finished = finished
        self._entries: dict[tuple[str, str, int, Draws], Entry] = {}
        fewer = {Draws(few, seeds) for _, few in plan.long for seeds in (1, plan.seeds)}
        for table in tables:
            for row in table.rows:
                for column in table.columns:
                    for draws in {plan.draws(column), *fewer}:
                        self._read(table, row, column, draws)

    def _read(self, table: Table, row: Row, column: int, draws: Draws) -> None:
        if row.kind not in self.sdes:
            return
        cells = self.plan.cells(table, row, column, self.sdes[row.kind], draws)
        found = [result for cell in cells if (result := self._finished(cell))]
        if found and len(found) == len(cells):
            entry = Entry(column, tuple(found), cells, chosen=row.sampler == ADAPTIVE)
            self._entries[table.name, row.label, column, draws] = entry

    def entry(
        self, table: str, label: str, column: int, draws: Draws | None = None
    ) -> Entry | None:
        """What was measured at a place, if all its seeds are there; `draws` as in `Plan.cells`."""
        draws = draws or self.plan.draws(column)
        return self._entries.get((table, label, column, draws))
