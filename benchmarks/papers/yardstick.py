"""The Frechet distance of cells to fixed images, and how far chance may move a gap between two."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from benchmarks.papers.cells import Cell
from gddim_tf.evaluation.distances import frechet_distance_from_statistics
from gddim_tf.evaluation.reference import quietly
from gddim_tf.evaluation.statistics import ActivationStatistics

# Parts of which one at a time is left out; fewer would leave Student's quantile wide.
GROUPS = 10


class Yardstick:
    """Distances to fixed images.

    Args:
      statistics: makes those of the fixed images; called once, when they are needed.
      features: of the images of a cell, `[count, dimension]`; the distance of a cell is kept, its
        features are not, which may be many.
    """

    def __init__(
        self,
        statistics: Callable[[], ActivationStatistics],
        features: Callable[[Cell], np.ndarray],
    ) -> None:
        self._make, self._features = statistics, features
        self._known: dict[Cell, float] = {}

    def distance(self, cell: Cell) -> float:
        """The Frechet distance of a cell's images to the fixed ones."""
        if cell not in self._known:
            self._known[cell] = self._distance(self._features(cell))
        return self._known[cell]

    def gap_error(self, better: Cell, worse: Cell, factor: float = 1.0) -> float:
        """The standard error of `factor d(worse) - d(better)`, from the images of one seed.

        A tenth of the images is left out at a time, the same on both sides, whose images start from
        the same noise (the delete-a-group jackknife): with g groups and gaps d_1 ... d_g it is
        sqrt((g - 1) / g sum (d_i - mean)^2).

        Args:
          better: a cell.
          worse: another one with as many images.
          factor: of the ordering.
        """
        sides = self._features(better), self._features(worse)
        # by chance, because labels follow the numbers of the images
        group = np.random.default_rng(0).permutation(len(sides[0])) % GROUPS
        left_out = [
            factor * self._distance(sides[1][group != g]) - self._distance(sides[0][group != g])
            for g in range(GROUPS)
        ]
        return math.sqrt((GROUPS - 1) * float(np.var(left_out)))

    @functools.cached_property
    def _statistics(self) -> ActivationStatistics:
        return self._make()

    def _distance(self, features: np.ndarray) -> float:
        seen = ActivationStatistics.of(features)
        return quietly(frechet_distance_from_statistics, self._statistics, seen)
