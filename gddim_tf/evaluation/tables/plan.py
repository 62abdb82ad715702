"""Which cells the tables need, and in which order they are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from gddim_tf.evaluation.tables.cells import Cell
from gddim_tf.evaluation.tables.definitions import DEFAULT, Row, Table, budget
from gddim_tf.samplers import default
from gddim_tf.sdes import LinearSDE

# Cells are made in rounds of growing cost, so that an interrupted run leaves whole columns.
_ROUNDS = (20, 50, 200)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is drawn for a cell of a table.

    Attributes:
      count: images per seed.
      seeds: how many.
      long_from: the column from which on a cell has one seed and `long_count` images.
      long_count: images in such cells.
      largest: the last column that is made.
    """

    count: int = 2000
    seeds: int = 3
    long_from: int = 1000
    long_count: int = 1000
    largest: int = 1000

    @classmethod
    def quick(cls) -> Plan:
        """The form of the tables in minutes: few images, one seed, no more than 20 evaluations."""
        return cls(count=200, seeds=1, largest=20)

    def columns(self, table: Table) -> tuple[int, ...]:
        """The columns of a table that are made; the first one, if all are too large."""
        return tuple(c for c in table.columns if c <= self.largest) or table.columns[:1]

    def cells(self, table: Table, row: Row, column: int, sde: LinearSDE) -> tuple[Cell, ...]:
        """The cells behind a place in a table, one per seed; none if the row lacks the column."""
        if column not in self.columns(table) or column not in (row.columns or table.columns):
            return ()
        nfe = budget(row.sampler, column, table.by)
        sampler = default(sde, nfe) if row.sampler == DEFAULT else row.sampler
        long = column >= self.long_from
        count, seeds = (self.long_count, 1) if long else (self.count, self.seeds)
        return tuple(
            Cell(kind=row.kind, sampler=sampler, nfe=nfe, count=count, seed=seed)
            for seed in range(seeds)
        )

    def all_cells(self, tables: Sequence[Table], sdes: dict[str, LinearSDE]) -> list[Cell]:
        """Every cell of the tables once, cheap ones first.

        Args:
          tables: to be made.
          sdes: the diffusions of the models at hand, by kind; rows of others are left out.

        Returns:
          The cells in the order in which to make them: in rounds of growing budget, and by model
          and sampler within a round, so that compiled graphs are used again.
        """
        wanted = [
            cell
            for table in tables
            for row in table.rows
            if row.kind in sdes
            for column in table.columns
            for cell in self.cells(table, row, column, sdes[row.kind])
        ]
        return sorted(dict.fromkeys(wanted), key=_turn)


def _turn(cell: Cell) -> tuple[object, ...]:
    place = int(np.searchsorted(_ROUNDS, cell.nfe))
    return place, cell.kind, repr(cell.sampler), cell.nfe, cell.seed


def evaluations(cells: Iterable[Cell], done: Collection[Cell] = ()) -> int:
    """Network evaluations of single images that cells take, as a measure of the work left."""
    return sum(cell.nfe * cell.count for cell in cells if cell not in done)
