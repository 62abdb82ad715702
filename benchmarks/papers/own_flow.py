"""How far images are from those of their network's own probability flow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from benchmarks.papers.cells import Cell
from benchmarks.papers.judging import Judged, judged
from benchmarks.papers.results import Entry
from benchmarks.papers.yardstick import Yardstick
from gddim_tf.evaluation.statistics import ActivationStatistics
from gddim_tf.samplers import default
from gddim_tf.sdes import LinearSDE

NFE = 50
# The tables' seeds are 0, 1, 2 ...: images of the same noise would be nearer than others.
SEED = 1000


class OwnFlow:
    """Images of a model's probability flow, solved finely.

    The distance to real images is of the network and the sampler together. The distance to these is
    of the sampler alone: none, but for chance, where the flow is followed exactly.

    Args:
      kind: of the model.
      sde: of the model.
      features: of the images of a cell, `[count, dimension]`.
      count: images of the flow.
    """

    def __init__(
        self, kind: str, sde: LinearSDE, features: Callable[[Cell], np.ndarray], count: int
    ) -> None:
        self._features = features
        self._flow = Cell(kind=kind, sampler=default(sde, NFE), nfe=NFE, count=count, seed=SEED)
        self._yardstick = Yardstick(self._statistics, features)

    def again(self, item: Judged) -> Judged:
        """An ordering judged by the Frechet distance to the flow's images."""
        sides = self._entry(item.better), self._entry(item.worse)
        return judged(item.ordering, *sides, self._yardstick.gap_error)

    def _entry(self, entry: Entry) -> Entry:
        results = [
            dataclasses.replace(result, measures={"frechet": self._yardstick.distance(cell)})
            for result, cell in zip(entry.results, entry.cells, strict=True)
        ]
        return dataclasses.replace(entry, results=tuple(results))

    def _statistics(self) -> ActivationStatistics:
        return ActivationStatistics.of(self._features(self._flow))
