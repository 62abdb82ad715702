"""Which tables an exported model stores, and where each signature finds its own."""

from __future__ import annotations

import contextlib

import tensorflow as tf

from gddim_tf.models import GenerativeModel
from gddim_tf.models.guidance import Guidance
from gddim_tf.samplers import NotInvertibleError, Sampler
from gddim_tf.samplers.loop_inputs import Layout
from gddim_tf.samplers.table import Table

# The signatures that are made from the others.
RESERVED = ("sample", "denoise", "encode", "decode", "serving_default")

# The number of a loop and the position of a table in it; the latter may be chosen in the graph.
Place = tuple[int, int | tf.Tensor]


class Budgets:
    """The tables of some (sampler, nfe) pairs, grouped by layout.

    Args:
      model: from which the samplers sample.
      samplings: name of a signature -> (sampler, nfe).
      guidance: None, or what tells each row its share of the guidance.

    Attributes:
      groups: lists of tables of equal layout.
      samplings: name of a signature -> place.
      by_nfe: nfe -> place, that of the first signature with this budget.
      decoding: None, or the place of the first deterministic table with the most evaluations.
      encoding: None, or the place of the same method from data to noise, if it has that reverse.
      encoding_table: None, or the table at that place.

    Raises:
      ValueError: if there are no signatures, or one has a name that is taken.
    """

    def __init__(
        self,
        model: GenerativeModel,
        samplings: dict[str, tuple[Sampler, int]],
        guidance: Guidance | None = None,
    ) -> None:
        self._check(samplings)
        self.groups: list[list[Table]] = []
        self._model, self._places, self._guidance = model, {}, guidance
        self.samplings = {name: self._table(*pair) for name, pair in samplings.items()}
        self.by_nfe: dict[int, Place] = {}
        for sampler, nfe in sorted(samplings.values(), key=lambda pair: pair[1]):
            self.by_nfe.setdefault(nfe, self._table(sampler, nfe))
        self.decoding = self.encoding = self.encoding_table = None
        quiet = [pair for pair in samplings.values() if self._deterministic(*pair)]
        if quiet:
            sampler, nfe = max(quiet, key=lambda pair: pair[1])
            self.decoding = self._table(sampler, nfe)
            with contextlib.suppress(NotInvertibleError):  # then there is no such signature
                self.encoding_table = sampler.encode(model.sde, nfe)
                self.encoding = self._store(self.encoding_table)

    @staticmethod
    def png_name(name: str) -> str:
        """The signature that gives PNG files: `sample_10` -> `sample_png_10`."""
        head, _, tail = name.rpartition("_")
        return f"{head}_png_{tail}" if head else f"{name}_png"

    def _check(self, samplings: dict[str, tuple[Sampler, int]]) -> None:
        if not samplings:
            raise ValueError("`signatures` must name at least one (sampler, nfe), received none")
        taken = [*RESERVED, *map(self.png_name, samplings)]
        for name in samplings:
            if name in taken:
                raise ValueError(f"`signatures` must not use the name {name!r}, which is made")

    def _table(self, sampler: Sampler, nfe: int) -> Place:
        if (sampler, nfe) not in self._places:
            self._places[sampler, nfe] = self._store(sampler.table_for(self._model, nfe))
        return self._places[sampler, nfe]

    def _store(self, table: Table) -> Place:
        table = table if self._guidance is None else self._guidance.table(self._model.sde, table)
        for number, group in enumerate(self.groups):
            if Layout.of(group[0]) == Layout.of(table):
                group.append(table)
                return number, len(group) - 1
        self.groups.append([table])
        return len(self.groups) - 1, 0

    def _deterministic(self, sampler: Sampler, nfe: int) -> bool:
        group, position = self._table(sampler, nfe)
        table = self.groups[group][position]
        return not table.stochastic
