"""The real images that generated ones are measured against."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf import data
from gddim_tf.evaluation.distances import frechet_floor, kernel_distance
from gddim_tf.evaluation.extraction import extract, extract_statistics
from gddim_tf.evaluation.images import as_uint8
from gddim_tf.evaluation.memorisation import MemorisationReport, memorisation_report
from gddim_tf.evaluation.statistics import (
    ActivationStatistics,
    Provenance,
    frechet_distance_from_statistics,
)

# With more training images than this, nobody fears that a small model knows them by heart.
_MEMORISABLE = 20_000

# Images of each side in a kernel distance; published ones use subsets too.
_KERNEL_IMAGES = 10_000


class Reference:
    """Statistics of a split of real images, and what is measured against them.

    Args:
      dataset: a name that `data.load` knows.
      extractor: see `feature_extractor`.
      image_size: of the model.
      split: of the reference; published distances are to the training images.
      held_out: another split, for the distance between real images and for the check of
        memorisation; by default one that the data set has, if any.
      cache: folder where the statistics are kept, and looked for; None keeps nothing.

    Raises:
      ValueError: if a split is unknown, or the cached statistics are of something else.
    """

    def __init__(
        self,
        dataset: str,
        extractor: Any,
        image_size: int,
        split: str = "train",
        held_out: str | None = None,
        cache: str | os.PathLike | None = None,
    ) -> None:
        self.dataset, self.split, self.extractor = dataset, split, extractor
        splits = data.info(dataset).splits
        others = [name for name in ("test", "validation", "train") if name in splits]
        self.held_out = held_out or next((name for name in others if name != split), None)
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

    def chance(self, count: int) -> float:
        """The distance to expect of so many images if they were real; see `frechet_floor`."""
        return frechet_floor(self.statistics.covariance, self.statistics.count, count)

    @functools.cached_property
    def training(self) -> np.ndarray | None:
        """The training images in uint8, if they are few and there are others to compare with."""
        if self.held_out is None or "train" not in (self.split, self.held_out):
            return None
        small = (data.info(self.dataset).splits["train"] or _MEMORISABLE + 1) <= _MEMORISABLE
        return self._pixels("train") if small else None

    @functools.cached_property
    def unseen(self) -> np.ndarray:
        """The images of the split that is not the training split, in uint8."""
        return self._pixels(self.held_out if self.split == "train" else self.split)

    def measure(self, images: np.ndarray) -> dict[str, float]:
        """Distances of generated images.

        Args:
          images: uint8 `[count, height, width, C]`.

        Returns:
          `frechet` and `kernel`.
        """
        fake = extract(self.extractor, images, progress=False)
        statistics = ActivationStatistics(fake.shape[1])
        statistics.update(fake)
        return {
            "frechet": quietly(frechet_distance_from_statistics, self.statistics, statistics),
            "kernel": kernel_distance(self._activations, fake[:_KERNEL_IMAGES]),
        }

    def memorisation(self, images: np.ndarray) -> MemorisationReport | None:
        """The check of generated images, as for `measure`; None where `training` is None."""
        if self.training is None:
            return None
        return memorisation_report(images, self.training, self.unseen)

    def settings(self) -> dict[str, Any]:
        """What distances depend on, for a report."""
        told = {
            "reference": f"{self.statistics.count} images of {self.dataset}, split {self.split}",
            "features": f"{self.extractor.name}, resize {self.extractor.resize}",
        }
        if self.floor is not None:
            told["real against real"] = (
                f"{self.floor:.3g}, the Frechet distance of the images of split {self.held_out} "
                "to the reference"
            )
        return told

    @functools.cached_property
    def _activations(self) -> np.ndarray:
        batches = self._images(self.split).unbatch().take(_KERNEL_IMAGES).batch(500)
        return extract(self.extractor, batches, progress=False)

    def _images(self, split: str) -> tf.data.Dataset:
        size = self._image_size
        return data.load(
            self.dataset, split, batch_size=500, image_size=size, shuffle=False, flip=False
        )

    def _pixels(self, split: str) -> np.ndarray:
        return np.concatenate([as_uint8(batch) for batch in self._images(split)])

    def _statistics(self, split: str) -> ActivationStatistics:
        """Of a split, from the cache if they are there."""
        images = self._images(split)
        expected = Provenance(
            data_set=f"{self.dataset} {self._image_size} x {self._image_size}",
            split=split,
            number=data.info(self.dataset).splits[split] or 0,
            extractor=self.extractor.name,
            resize=self.extractor.resize,
        )
        name = re.sub(r"[^a-z0-9]+", "-", f"{self.dataset}-{split}-{expected.extractor}".lower())
        path = None if self._cache is None else self._cache / f"{name}.npz"
        if path is not None and path.exists():
            return ActivationStatistics.load(path, expected)
        statistics = extract_statistics(self.extractor, images, progress=False)
        if path is not None:
            statistics.save(path, dataclasses.replace(expected, number=statistics.count))
        return statistics


def quietly(measure: Callable[..., Any], *arguments: Any) -> Any:
    """Call without the warning on few images, of which reports have a line."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* are few for .* dimensions")
        return measure(*arguments)
