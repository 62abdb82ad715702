"""The real images that generated ones are measured against."""

from __future__ import annotations

import functools
import math
import os
import pathlib
import re
import urllib.parse
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf import data
from gddim_tf.data.catalogue import find
from gddim_tf.data.pixels import as_uint8
from gddim_tf.evaluation.distances import frechet_floor, kernel_distance
from gddim_tf.evaluation.extraction import extract, extract_statistics
from gddim_tf.evaluation.extractor import ImageFeatures
from gddim_tf.evaluation.memorisation import MemorisationReport, memorisation_report
from gddim_tf.evaluation.statistics import (
    ActivationStatistics,
    Provenance,
    frechet_distance_from_statistics,
)
from gddim_tf.image_size import ImageSize, text
from gddim_tf.tfgan import classifier_metrics

# With more training images than this, nobody fears that a small model knows them by heart.
_MEMORISABLE = 20_000

# Images of each side in a kernel distance, a score, precision and recall; published ones use
# subsets too.
_KERNEL_IMAGES = 10_000
KERNEL_BLOCK = 1024


class Reference:
    """Statistics of a split of real images, for a `Comparison` with generated ones.

    Args:
      dataset: a name that `data.load` knows.
      extractor: see `feature_extractor`.
      image_size: of the model.
      split: of the reference, or a part of one; published distances are to the training images.
      held_out: another split, for the distance between real images and for the check of
        memorisation; by default one that the data set has, if any.
      cache: folder where the statistics are kept, and looked for; None keeps nothing.

    Raises:
      ValueError: if a split is unknown, or the cached statistics are of something else.
      ImportError: if TF-GAN is not installed.
    """

    def __init__(
        self,
        dataset: str,
        extractor: ImageFeatures,
        image_size: ImageSize,
        split: str = "train",
        held_out: str | None = None,
        cache: str | os.PathLike | None = None,
    ) -> None:
        classifier_metrics()  # what is not installed is said before anything is drawn
        self.dataset, self.split, self.extractor = dataset, split, extractor
        splits = data.info(dataset).splits
        for name in (split, held_out or split):
            if _whole(name) not in splits:
                known = ", ".join(splits)
                raise ValueError(f"`split` of {dataset} must be one of {known}, received {name!r}")
        others = [name for name in ("test", "validation", "train") if name in splits]
        self.held_out = held_out or next((name for name in others if name != _whole(split)), None)
        self._image_size = image_size
        self._cache = None if cache is None else pathlib.Path(cache)
        self.statistics = self._statistics(split)

    @functools.cached_property
    def floor(self) -> float | None:
        """Frechet distance of the held-out images to the reference; None without a second split."""
        if self.held_out is None:
            return None
        return quietly(
            frechet_distance_from_statistics, self.statistics, self._statistics(self.held_out)
        )

    @functools.cached_property
    def kernel_floor(self) -> float | None:
        """Kernel distance of the held-out images to the reference; None if they are too few."""
        if self.held_out is None:
            return None
        counts = self.statistics.count, self._number(self.held_out)
        if min(counts) < _fewest(*counts):
            return None
        return kernel_distance(self.kept, self._activations(self.held_out), KERNEL_BLOCK)

    def chance(self, count: int) -> float:
        """The distance to expect of so many images if they were real; see `frechet_floor`."""
        return frechet_floor(self.statistics.covariance, self.statistics.count, count)

    @functools.cached_property
    def training(self) -> np.ndarray | None:
        """The training images in uint8, if they are few and one of the two sides."""
        sides = [_whole(name) for name in (self.split, self.held_out) if name is not None]
        if sides.count("train") != 1:
            return None
        small = (data.info(self.dataset).splits["train"] or _MEMORISABLE + 1) <= _MEMORISABLE
        return self._pixels("train") if small else None

    @functools.cached_property
    def unseen(self) -> np.ndarray | None:
        """The images of the split that is not the training split, in uint8; None without one."""
        if self.held_out is None:
            return None
        return self._pixels(self.held_out if _whole(self.split) == "train" else self.split)

    def check_count(self, count: int) -> None:
        """Raise a ValueError unless so many generated images can be measured."""
        fewest = _fewest(self.statistics.count, count)
        if min(self.statistics.count, count) < fewest:
            raise ValueError(
                f"`count` must be at least {fewest}, and so must the number of reference images, "
                f"to be measured: received {count} and {self.statistics.count} of them"
            )

    def memorisation(self, images: np.ndarray) -> MemorisationReport | None:
        """The check of generated images, uint8; None where `training` is None."""
        if self.training is None:
            return None
        return memorisation_report(images, self.training, self.unseen)

    @functools.cached_property
    def kept(self) -> np.ndarray:
        """Activations of at most 10,000 of the images, evenly spread, for a kernel distance."""
        return self._activations(self.split)

    @functools.cached_property
    def identity(self) -> str:
        """What every number measured against it depends on, in one line."""
        return (
            f"{self.dataset} {data.fingerprint(self.dataset)} {self._image_size} {self.split} "
            f"{self.held_out} {self.extractor.name} {self.extractor.resize}"
        )

    def settings(self) -> dict[str, Any]:
        """What distances depend on, for a report."""
        told = {
            "reference": f"{self.statistics.count} images of {self.dataset}, split {self.split}",
            "features": f"{self.extractor.name}, resize {self.extractor.resize}",
        }
        if self.floor is not None and self.held_out is not None:
            told["real against real"] = (
                f"{self.floor:.2f}, the Frechet distance of the {self._number(self.held_out)} "
                f"images of split {self.held_out} to the reference"
            )
            if self.kernel_floor is not None:
                told["real against real"] += f"; kernel distance {self.kernel_floor:.2g}"
        if self.statistics.count > _KERNEL_IMAGES:
            told["kernel distance, precision, recall"] = (
                f"from at most {_KERNEL_IMAGES} images of each side"
            )
        return told

    def _activations(self, split: str) -> np.ndarray:
        """Of the images of a split that a kernel distance looks at."""
        chosen = tf.constant(spread(self._number(split)))
        images = self._images(split).enumerate().filter(lambda index, _: chosen[index])
        return extract(self.extractor, images.map(lambda _, image: image), progress=False)

    def _number(self, split: str) -> int:
        count = find(self.dataset).count(split)
        if count is None:
            raise FileNotFoundError(
                f"data set {self.dataset!r} is not on disk; `gddim-tf prepare {self.dataset}` puts "
                "it there"
            )
        return count

    def _images(self, split: str) -> tf.data.Dataset:
        """One by one; the extractor makes the batches."""
        return data.load(
            self.dataset,
            split,
            image_size=self._image_size,
            shuffle=False,
            flip=False,
            cache=False,
        )

    def _pixels(self, split: str) -> np.ndarray:
        return np.concatenate([as_uint8(batch) for batch in self._images(split).batch(500)])

    def _statistics(self, split: str) -> ActivationStatistics:
        """Of a split, from the cache if they are there."""
        images = self._images(split)
        expected = Provenance(
            data_set=f"{self.dataset} {text(self._image_size)}",
            split=split,
            number=self._number(split),
            extractor=self.extractor.name,
            resize=self.extractor.resize,
        )
        slug = re.sub(r"[^a-z0-9]+", "-", f"{self.dataset}-{expected.extractor}".lower())
        name = f"{slug}-{urllib.parse.quote(split)}"  # train[:9] is not train[9:]
        # other images under the same name and number have other statistics
        content = "" if self._cache is None else data.fingerprint(self.dataset)[:12]
        path = None if self._cache is None else self._cache / f"{name}-{content}.npz"
        if path is not None and path.exists():
            return ActivationStatistics.load(path, expected)
        statistics = extract_statistics(self.extractor, images, progress=False)
        if path is not None:
            statistics.save(path, expected)
        return statistics


def quietly(measure: Callable[..., Any], *arguments: Any) -> Any:
    """Call without the warnings on few images, of which reports have a line."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* are few for .* dimensions|`logits` has .* rows for")
        return measure(*arguments)


def _whole(split: str) -> str:
    """The split that this one is, or is a part of."""
    return split.split("[")[0]


def spread(count: int) -> np.ndarray:
    """Which of so many images a kernel distance looks at: all, or one of each of equal parts.

    Neither the first ones (of few classes, where files are sorted by class) nor every fifth (of two
    classes, where labels go round).
    """
    parts = min(count, _KERNEL_IMAGES)
    edges = np.arange(parts + 1) * count // parts
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng(0).integers(edges[:-1], edges[1:])] = True
    return chosen


def _fewest(*counts: int) -> int:
    """How many images of each side a measurement needs.

    A kernel distance two in every block of the larger, precision and recall one more than the three
    neighbours.
    """
    return max(2 * math.ceil(min(max(counts), _KERNEL_IMAGES) / KERNEL_BLOCK), 4)
