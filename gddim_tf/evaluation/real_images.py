"""A split of real images, as a feature extractor sees it."""

from __future__ import annotations

import functools
import pathlib
import re
import urllib.parse

import numpy as np
import tensorflow as tf

from gddim_tf import data
from gddim_tf.data.split import Split
from gddim_tf.evaluation.distances import label_agreement
from gddim_tf.evaluation.extraction import extract, extract_statistics, logits_of
from gddim_tf.evaluation.extractor import ImageFeatures
from gddim_tf.evaluation.statistics import ActivationStatistics, Provenance
from gddim_tf.image_size import text

# Images of each side in a kernel distance, a score, precision and recall; published ones use
# subsets too.
KERNEL_IMAGES = 10_000


class RealImages:
    """What is measured of a split, each number when it is first asked for.

    Args:
      split: the images, of a known size.
      extractor: see `feature_extractor`.
      cache: folder where the statistics are kept, and looked for; None keeps nothing.

    Examples:
      >>> from gddim_tf.evaluation import DigitsFeatures
      >>> RealImages(Split("digits", "test"), DigitsFeatures()).statistics.count
      297
    """

    def __init__(
        self, split: Split, extractor: ImageFeatures, cache: pathlib.Path | None = None
    ) -> None:
        self.split, self._extractor, self._cache = split, extractor, cache

    @functools.cached_property
    def count(self) -> int:
        """How many there are."""
        return self.split.count()

    @functools.cached_property
    def statistics(self) -> ActivationStatistics:
        """Of the activations of all images, from the cache if they are there.

        Raises:
          ValueError: if those in the cache are of something else.
        """
        split, extractor = self.split, self._extractor
        size = text(split.image_size or data.info(split.dataset).image_size)
        expected = Provenance(
            f"{split.dataset} {size}", split.name, self.count, extractor.name, extractor.resize
        )
        path = self._file()
        if path is not None and path.exists():
            return ActivationStatistics.load(path, expected)
        statistics = extract_statistics(extractor, split.images(), progress=False)
        if path is not None:
            statistics.save(path, expected)
        return statistics

    @functools.cached_property
    def kept(self) -> np.ndarray:
        """Activations of at most 10,000 of the images, evenly spread."""
        chosen = tf.constant(spread(self.count))
        images = self.split.images().enumerate().filter(lambda index, _: chosen[index])
        return extract(self._extractor, images.map(lambda _, image: image), progress=False)

    @functools.cached_property
    def classes_are_known(self) -> bool:
        """Whether the extractor's classes, if they have names, are those of the data set."""
        names = getattr(self._extractor, "class_names", ())
        return not names or names == data.info(self.split.dataset).class_names

    @functools.cached_property
    def agreement(self) -> float | None:
        """How often the class of an image is seen in it; None where that cannot be asked."""
        classes = data.info(self.split.dataset).num_classes
        asked = classes > 0 and self.classes_are_known
        logits = logits_of(self._extractor, self.split.images()) if asked else None
        return None if logits is None else label_agreement(logits, self.split.labels(), classes)

    def _file(self) -> pathlib.Path | None:
        """Of the statistics; other images under the same name and number have another one."""
        if self._cache is None:
            return None
        dataset = self.split.dataset
        slug = re.sub(r"[^a-z0-9]+", "-", f"{dataset}-{self._extractor.name}".lower())
        name = urllib.parse.quote(self.split.name)  # train[:9] is not train[9:]
        return self._cache / f"{slug}-{name}-{data.fingerprint(dataset)[:12]}.npz"


def spread(count: int) -> np.ndarray:
    """Which of so many images a kernel distance looks at: all, or one of each of equal parts.

    Neither the first ones (of few classes, where files are sorted by class) nor every fifth (of two
    classes, where labels go round).
    """
    parts = min(count, KERNEL_IMAGES)
    edges = np.arange(parts + 1) * count // parts
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng(0).integers(edges[:-1], edges[1:])] = True
    return chosen
