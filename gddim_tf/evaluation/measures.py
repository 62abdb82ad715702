"""What is measured of generated images beside real ones: a line for each number."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from gddim_tf.evaluation.distances import (
    frechet_distance_from_statistics,
    inception_score,
    kernel_distance,
    label_agreement,
)
from gddim_tf.evaluation.extraction import activations, logits_of
from gddim_tf.evaluation.memorisation import MemorisationReport
from gddim_tf.evaluation.precision_recall import PrecisionRecall, precision_recall
from gddim_tf.evaluation.real_images import spread
from gddim_tf.evaluation.reference import KERNEL_BLOCK, Reference, quietly
from gddim_tf.evaluation.statistics import ActivationStatistics


class Comparison:
    """Generated images beside a reference, in memory that does not grow with their number.

    Args:
      reference: the real images.
      images: uint8 `[count, height, width, C]`.
      labels: the classes that were asked for, `[count]`, or None.
      classes: of the model that made them.

    Attributes:
      reference: as given.
      statistics: of the activations of all images.
      kept: activations of at most 10,000 of them, evenly spread, `[kept, dimension]`.

    Raises:
      ValueError: if there are too few images to be measured.
    """

    def __init__(
        self,
        reference: Reference,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        classes: int = 0,
    ) -> None:
        reference.check_count(len(images))
        self.reference, self._images, self._chosen = reference, images, spread(len(images))
        self._labels, self._classes = labels, classes
        extractor = reference.extractor
        self.statistics, kept = ActivationStatistics(extractor.dimension), []
        for batch in activations(extractor, images, progress=False):
            kept.append(batch[self._chosen[self.statistics.count :][: len(batch)]])
            self.statistics.update(batch)
        self.kept = np.concatenate(kept)

    @functools.cached_property
    def logits(self) -> np.ndarray | None:
        """Of the images of `kept`; None if the extractor has none."""
        return logits_of(self.reference.extractor, self._images[self._chosen])

    @functools.cached_property
    def coverage(self) -> PrecisionRecall:
        """Precision and recall of `kept`."""
        return precision_recall(self.reference.kept, self.kept)

    @property
    def agreement(self) -> float | None:
        """How often the class that was told is seen in the images of `kept`."""
        if self._labels is None or not self.reference.classes_are_known or self.logits is None:
            return None
        return label_agreement(self.logits, self._labels[self._chosen], self._classes)

    @functools.cached_property
    def memorisation(self) -> MemorisationReport | None:
        """The check of all images; None where there is nothing to compare with."""
        return self.reference.memorisation(self._images)

    @property
    def verdict(self) -> str | None:
        """What the check says, or why there is none; None without training images."""
        return self.memorisation.verdict if self.memorisation else self.reference.unchecked

    def measures(self) -> dict[str, float]:
        """Every number of `MEASURES` that there is, by its name."""
        values = {measure.name: measure.of(self) for measure in MEASURES}
        return {name: value for name, value in values.items() if value is not None}


@dataclasses.dataclass(frozen=True)
class Measure:
    """A number, and how a table shows it.

    Attributes:
      name: key in files.
      title: of its column.
      form: how it is formatted.
      of: measures it; None where it is not defined.
    """

    name: str
    title: str
    form: str
    of: Callable[[Comparison], float | None]

    def text(self, values: dict[str, float]) -> str:
        """The number in a table, or nothing."""
        return format(values[self.name], self.form) if self.name in values else ""


def _frechet(seen: Comparison) -> float:
    return quietly(frechet_distance_from_statistics, seen.reference.statistics, seen.statistics)


def _kernel(seen: Comparison) -> float:
    return kernel_distance(seen.reference.kept, seen.kept, KERNEL_BLOCK)


def _inception_score(seen: Comparison) -> float | None:
    return None if seen.logits is None else quietly(inception_score, seen.logits)


def _median_ratio(seen: Comparison) -> float | None:
    return seen.memorisation and seen.memorisation.median_ratio


def _close_fraction(seen: Comparison) -> float | None:
    return seen.memorisation and seen.memorisation.close_fraction


MEASURES = (
    Measure("frechet", "Frechet distance", ".2f", _frechet),
    Measure("kernel", "kernel distance", ".4f", _kernel),
    Measure("precision", "precision", ".2f", lambda seen: seen.coverage.precision),
    Measure("recall", "recall", ".2f", lambda seen: seen.coverage.recall),
    Measure("agreement", "label seen", ".1%", lambda seen: seen.agreement),
    Measure("inception_score", "Inception score", ".2f", _inception_score),
    Measure("median_ratio", "median ratio", ".2f", _median_ratio),
    Measure("close_fraction", "near", ".1%", _close_fraction),
)
