"""What was measured, by table, row and column."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from gddim_tf.evaluation.tables.cells import Cell
from gddim_tf.evaluation.tables.definitions import Row, Table
from gddim_tf.evaluation.tables.plan import Plan
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True)
class Entry:
    """A place in a table: the results of its seeds.

    Attributes:
      column: that it stands in.
      results: one per seed, as `run_cell` gives them.
    """

    column: int
    results: tuple[dict[str, Any], ...]

    @property
    def diverged(self) -> bool:
        """Whether a seed ended in values that are not finite."""
        return any("diverged" in result for result in self.results)

    @property
    def frechet(self) -> float:
        """Mean over the seeds; infinite if one diverged."""
        return self.mean("frechet")

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds, 0 for one."""
        values = [result["frechet"] for result in self.results]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return self.spread / math.sqrt(len(self.results))

    @property
    def extra(self) -> int:
        """Network evaluations beyond the column's number."""
        return self.results[0]["spent"] - self.column

    def mean(self, name: str) -> float:
        """Mean of a measured number over the seeds; infinite if one diverged."""
        return math.inf if self.diverged else float(np.mean([r[name] for r in self.results]))


class Results:
    """The results that a folder holds for some tables.

    Args:
      folder: of the cells' files.
      tables: that were made.
      plan: how much was drawn.
      sdes: by kind of model.
      made_with: by kind of model, see `Cell.path`.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        tables: Sequence[Table],
        plan: Plan,
        sdes: dict[str, LinearSDE],
        made_with: dict[str, str],
    ) -> None:
        self.tables, self.plan, self.sdes = tuple(tables), plan, sdes
        self._folder, self._made_with = folder, made_with
        self._entries: dict[tuple[str, str, int], Entry] = {}
        for table in tables:
            for row in table.rows:
                for column in table.columns:
                    self._read(table, row, column)

    def _read(self, table: Table, row: Row, column: int) -> None:
        if row.kind not in self.sdes:
            return
        cells = self.plan.cells(table, row, column, self.sdes[row.kind])
        found = [self.of(cell) for cell in cells]
        if found and None not in found:
            self._entries[table.name, row.label, column] = Entry(column, tuple(found))

    def of(self, cell: Cell) -> dict[str, Any] | None:
        """The result of a cell, if it is there."""
        return cell.stored(self._folder, self._made_with[cell.kind])

    def entry(self, table: str, label: str, column: int) -> Entry | None:
        """What stands at a place, if all its seeds are there."""
        return self._entries.get((table, label, column))
