"""Which tables an exported model stores, and where each signature finds its own."""

from __future__ import annotations

import contextlib

import tensorflow as tf

from gddim_tf.models import GenerativeModel
from gddim_tf.models.guidance import Guidance
from gddim_tf.samplers import NotInvertibleError, Sampler
from gddim_tf.samplers.default import low_order
from gddim_tf.samplers.loop_inputs import Layout
from gddim_tf.samplers.strength import time_of_strength
from gddim_tf.samplers.table import Table

# The signatures that are made from the others.
RESERVED = (
    *("sample", "denoise", "encode", "decode", "edit", "decode_from", "inpaint"),
    "serving_default",
)
# The fractions of noise (`samplers.strength`) at which an edit may begin.
STRENGTHS = (0.2, 0.4, 0.6, 0.8)

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
      starts: strength -> time and place of a table that begins there, by the method of `decoding`;
        none if that has times of its own.
      knowing: the table for an eps that is told of known pixels, of the largest budget.

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
        self.starts = self._starts(*max(quiet, key=lambda pair: pair[1])) if quiet else {}
        largest = max(self.by_nfe)
        self.knowing = self._guided(low_order(model.sde, largest).table(model.sde, largest))

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

    def _starts(self, sampler: Sampler, nfe: int) -> dict[float, tuple[float, Place]]:
        """Where edits begin, at all strengths that lie before the data."""
        starts = {}
        for strength in STRENGTHS:
            with contextlib.suppress(ValueError):  # then there is no such start
                time = time_of_strength(self._model.sde, strength)
                place = self._store(sampler.table_from(self._model.sde, time, nfe))
                starts[strength] = time, place
        return starts

    def _guided(self, table: Table) -> Table:
        return table if self._guidance is None else self._guidance.table(self._model.sde, table)

    def _store(self, table: Table) -> Place:
        table = self._guided(table)
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
