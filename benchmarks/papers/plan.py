"""Which cells the tables need, and in which order they are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.papers.cells import Cell
from benchmarks.papers.definitions import ADAPTIVE, DEFAULT, Row, Table
from benchmarks.papers.ordering import Ordering
from gddim_tf.samplers import RhoRK, Sampler, default
from gddim_tf.sdes import LinearSDE

# Cells are made in rounds of growing cost, so that an interrupted run leaves whole columns.
_ROUNDS = (20, 50, 200)


class Draws(NamedTuple):
    """How much is drawn for a place in a table: images per seed, and seeds."""

    count: int
    seeds: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is drawn for a cell of a table.

    Attributes:
      count: images per seed.
      seeds: how many.
      long: fewer images, of one seed, for large budgets: from this column on so many, in growing
        order of the columns.
      largest: the last column that is made.
    """

    count: int = 2000
    seeds: int = 3
    long: tuple[tuple[int, int], ...] = ((1000, 1000),)
    largest: int = 1000

    @classmethod
    def quick(cls) -> Plan:
        """The form of the tables in minutes: few images, one seed, no more than 20 evaluations."""
        return cls(count=200, seeds=1, largest=20)

    def columns(self, table: Table) -> tuple[int, ...]:
        """The columns of a table that are made; the first one, if all are too large."""
        return tuple(c for c in table.columns if c <= self.largest) or table.columns[:1]

    def draws(self, column: int) -> Draws:
        """How many images and seeds a column's cells have."""
        for first, count in reversed(self.long):
            if column >= first:
                return Draws(count, 1)
        return Draws(self.count, self.seeds)

    def compared(self, ordering: Ordering) -> Draws:
        """How many images and seeds of both places decide an ordering."""
        draws = self.draws(ordering.largest)
        return draws._replace(seeds=self.seeds) if ordering.telling else draws

    def cells(
        self, table: Table, row: Row, column: int, sde: LinearSDE, draws: Draws | None = None
    ) -> tuple[Cell, ...]:
        """The cells behind a place in a table.

        Args:
          table: the table.
          row: its row.
          column: its column.
          sde: the diffusion of the row's model.
          draws: to be compared with a place of another column; by default those of this one.

        Returns:
          One cell per seed; none if the row lacks the column.
        """
        if column not in self.columns(table) or column not in (row.columns or table.columns):
            return ()
        sampler = fitted(row.sampler, sde)
        nfe = budget(sampler, column, table.by)
        sampler = default(sde, nfe) if sampler == DEFAULT else sampler
        draws = draws or self.draws(column)
        return tuple(
            Cell(kind=row.kind, sampler=sampler, nfe=nfe, count=draws.count, seed=seed)
            for seed in range(draws.seeds)
        )

    def all_cells(
        self,
        tables: Sequence[Table],
        sdes: dict[str, LinearSDE],
        orderings: Sequence[Ordering] = (),
    ) -> list[Cell]:
        """Every cell of the tables once, the most telling first, then cheap ones first.

        Args:
          tables: to be made.
          sdes: the diffusions of the models at hand, by kind; rows of others are left out.
          orderings: between places of the tables. A place that has not the images and seeds that
            decide one is drawn once more, with those.

        Returns:
          The cells in the order in which to make them: those of telling orderings, but for the most
          costly, then all others, both in rounds of growing budget. Within a round those that
          decide an ordering come first, RK45, which has to look for its tolerances, last; and so by
          model and sampler, that compiled graphs are used again.
        """
        again: dict[tuple[str, str, int], set[Draws]] = {}
        orderings = [ordering for ordering in orderings if ordering.largest <= self.largest]
        for ordering in orderings:
            for place in ordering.places:
                others = again.setdefault((ordering.table, *place), set())
                others.add(self.compared(ordering))
        first = {
            (ordering.table, *place)
            for ordering in orderings
            if ordering.telling
            for place in ordering.places
        }
        places = [
            ((table.name, row.label, column), cell)
            for table in tables
            for row in table.rows
            if row.kind in sdes
            for column in table.columns
            for draws in (None, *sorted(again.get((table.name, row.label, column), ())))
            for cell in self.cells(table, row, column, sdes[row.kind], draws)
        ]
        early = {cell for place, cell in places if place in first and cell.nfe <= _ROUNDS[-1]}
        deciding = {cell for place, cell in places if place in again}
        wanted = dict.fromkeys(cell for _, cell in places)

        def turn(cell: Cell) -> tuple[object, ...]:
            place, adaptive = int(np.searchsorted(_ROUNDS, cell.nfe)), cell.sampler == ADAPTIVE
            like = cell.kind, repr(cell.sampler), cell.nfe, cell.seed
            return cell not in early, place, cell not in deciding, adaptive, *like

        return sorted(wanted, key=turn)


def budget(sampler: Sampler | str, column: int, by: str = "NFE") -> int:
    """The smallest number of evaluations for a column that the sampler can spend.

    Args:
      sampler: of a row.
      column: number of evaluations, or of steps.
      by: "NFE" or "steps".

    Returns:
      A number of evaluations, at least `column`.

    Raises:
      ValueError: if none within nine more evaluations will do.
    """
    if isinstance(sampler, str):
        return column
    for nfe in range(column, column + 10):
        try:
            steps = sampler.steps_of(nfe)
        except ValueError:  # not this number
            continue
        if by == "NFE" or steps >= column:
            return nfe
    raise ValueError(f"`column` {column} is no budget of {sampler}, nor are nine more evaluations")


def fitted(sampler: Sampler | str, sde: LinearSDE) -> Sampler | str:
    """A row's sampler for a diffusion: where data are without noise, the last step is Euler's."""
    if isinstance(sampler, RhoRK) and sde.t_min == 0:
        return dataclasses.replace(sampler, last="euler")
    return sampler


def evaluations(cells: Iterable[Cell], done: Collection[Cell] = ()) -> int:
    """Network evaluations of single images that cells take, as a measure of the work left."""
    return sum(cell.nfe * cell.count for cell in cells if cell not in done)
