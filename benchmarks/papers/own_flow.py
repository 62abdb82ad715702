"""How far images are from those of their network's own probability flow."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from benchmarks.papers.cells import Cell
from benchmarks.papers.judging import Judged, judged
from benchmarks.papers.results import Entry
from gddim_tf import evaluation
from gddim_tf.evaluation.reference import quietly
from gddim_tf.evaluation.runner import Runner
from gddim_tf.models.generation import Job
from gddim_tf.samplers import default

NFE = 50
# The tables' seeds are 0, 1, 2: images of the same noise would be nearer than others.
SEED = 1000


class OwnFlow:
    """Images of a model's probability flow, solved finely.

    The distance to real images is of the network and the sampler together. The distance to these is
    of the sampler alone: none, but for chance, where the flow is followed exactly.

    Args:
      runner: of the model.
      job_of: how a cell of it was drawn.
      count: images of the flow.
    """

    def __init__(self, runner: Runner, job_of: Callable[[Cell], Job], count: int) -> None:
        self._runner, self._job_of = runner, job_of
        self._job = Job(default(runner.model.sde, NFE), NFE, count, SEED)
        self._distances: dict[Cell, float] = {}

    def again(self, item: Judged) -> Judged:
        """An ordering judged by the Frechet distance to the flow's images."""
        return judged(item.ordering, self._entry(item.better), self._entry(item.worse))

    def _entry(self, entry: Entry) -> Entry:
        results = [
            dataclasses.replace(result, measures={"frechet": self._distance(cell)})
            for result, cell in zip(entry.results, entry.cells, strict=True)
        ]
        return dataclasses.replace(entry, results=tuple(results))

    def _distance(self, cell: Cell) -> float:
        if cell not in self._distances:
            features = self._features(self._job_of(cell))
            distance = quietly(evaluation.frechet_distance, self._flow, features)
            self._distances[cell] = distance
        return self._distances[cell]

    @functools.cached_property
    def _flow(self) -> np.ndarray:
        return self._features(self._job)

    def _features(self, job: Job) -> np.ndarray:
        images = self._runner.generated(job).images
        return evaluation.extract(self._runner.reference.extractor, images, progress=False)
