"""The real images that generated ones are measured against."""

from __future__ import annotations

import functools
import math
import os
import pathlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gddim_tf import data
from gddim_tf.data.split import Split
from gddim_tf.evaluation.distances import (
    frechet_distance_from_statistics,
    frechet_floor,
    kernel_distance,
)
from gddim_tf.evaluation.extractor import ImageFeatures
from gddim_tf.evaluation.image_checks import taken_as
from gddim_tf.evaluation.memorisation import (
    MOST_UNSEEN,
    MemorisationReport,
    NothingUnseenError,
    Unseen,
    report_beside,
)
from gddim_tf.evaluation.real_images import KERNEL_IMAGES, RealImages
from gddim_tf.image_size import ImageSize
from gddim_tf.tfgan import classifier_metrics

# Nearest neighbours among more training images than this would take longer than to draw images.
_MEMORISABLE = 60_000
KERNEL_BLOCK = 1024
_SECOND = "`held_out` (--floor-split)"


class Reference:
    """A split of real images, for a `Comparison` with generated ones.

    Args:
      dataset: a name that `data.load` knows.
      extractor: see `feature_extractor`.
      image_size: of the model.
      split: of the reference, or a part of one; published distances are to the training images.
      held_out: another split, for the distance between real images and for the check of
        memorisation; by default one that the data set has, if any.
      cache: folder where the statistics are kept, and looked for; None keeps nothing.
      count: of the generated images to measure, if it is known: what `check_count` refuses is then
        refused before any real image is looked at.

    Raises:
      ValueError: if a split is unknown, there are too few images, `held_out` has images of `split`,
        or the cached statistics are of something else.
      ImportError: if TF-GAN is not installed.

    Examples:
      >>> from gddim_tf.evaluation import DigitsFeatures
      >>> Reference("digits", DigitsFeatures(), 8).held_out
      'test'
    """

    def __init__(
        self,
        dataset: str,
        extractor: ImageFeatures,
        image_size: ImageSize,
        split: str = "train",
        held_out: str | None = None,
        cache: str | os.PathLike | None = None,
        count: int | None = None,
    ) -> None:
        classifier_metrics()  # what is not installed is said before anything is drawn
        self.dataset, self.split, self.extractor = dataset, split, extractor
        self._size, splits = image_size, data.info(dataset).splits
        for argument, name in (("`split`", split), (_SECOND, held_out)):
            if name is not None and self._of(name).whole not in splits:
                known = ", ".join(splits)
                raise ValueError(
                    f"{argument} of {dataset} must be one of {known}, received {name!r}"
                )
        whole = self._of(split).whole
        # a single image has no covariance
        others = [name for name in ("test", "validation", "train") if splits.get(name, 1) != 1]
        self.held_out = held_out or next((name for name in others if name != whole), None)
        folder = None if cache is None else pathlib.Path(cache)
        self._real = RealImages(self._of(split), extractor, folder)
        self._other = None
        if self.held_out is not None:
            self._other = RealImages(self._of(self.held_out), extractor, folder)
        if count is not None:
            self.check_count(count)
        if held_out is not None:
            self._check_second(held_out)
        self.statistics = self._real.statistics

    @functools.cached_property
    def floor(self) -> float | None:
        """Frechet distance of the held-out images to the reference; None without a second split."""
        if self._other is None:
            return None
        return quietly(frechet_distance_from_statistics, self.statistics, self._other.statistics)

    @functools.cached_property
    def kernel_floor(self) -> float | None:
        """Kernel distance of the held-out images to the reference; None if they are too few."""
        if self._other is None:
            return None
        counts = self._real.count, self._other.count
        if min(counts) < _fewest(*counts):
            return None
        return kernel_distance(self.kept, self._other.kept, KERNEL_BLOCK)

    @property
    def agreement_floor(self) -> float | None:
        """How often the classifier sees the class of a held-out image; None if it has no word."""
        return self._other.agreement if self._other else None

    @property
    def classes_are_known(self) -> bool:
        """See `RealImages`."""
        return self._real.classes_are_known

    def chance(self, count: int) -> float:
        """The distance to expect of so many images if they were real; see `frechet_floor`."""
        return frechet_floor(self.statistics.covariance, self.statistics.count, count)

    @functools.cached_property
    def training(self) -> np.ndarray | None:
        """The training images in uint8, if they are few and one of the two sides."""
        sides = [self._of(name).whole for name in (self.split, self.held_out) if name is not None]
        if sides.count("train") != 1:
            return None
        small = (data.info(self.dataset).splits["train"] or _MEMORISABLE + 1) <= _MEMORISABLE
        return self._of("train").pixels() if small else None

    @functools.cached_property
    def unseen(self) -> np.ndarray | None:
        """Images of the split that is not the training split, in uint8; None without one."""
        if self._other is None:
            return None
        side = self._other if self._real.split.whole == "train" else self._real
        pixels = side.split.pixels()
        return pixels[:: math.ceil(len(pixels) / MOST_UNSEEN)]

    @functools.cached_property
    def _unseen_distances(self) -> Unseen | None:
        if self.training is None:
            return None
        try:
            return Unseen.of(self.training, self.unseen)
        except NothingUnseenError:
            return None  # `unchecked` tells

    @property
    def unchecked(self) -> str | None:
        """Why there is no check of memorisation though there are training images, a sentence."""
        if self.training is None or self._unseen_distances is not None:
            return None
        told = "at least half of the held-out images are among the training images"
        why = "all training images are equal" if self._other is None else told
        return f"Not checked for memorisation: {why}."

    def check_count(self, count: int) -> None:
        """Raise a ValueError unless so many generated images can be measured."""
        real = self._real.count
        fewest = _fewest(real, count)
        if min(real, count) < fewest:
            raise ValueError(
                f"`count` must be at least {fewest}, and so must the number of reference images, "
                f"to be measured: received {count} and {real} of them"
            )

    def memorisation(self, images: np.ndarray) -> MemorisationReport | None:
        """The check of generated images, uint8; None where `training` is None, or `unchecked`."""
        if self.training is None or self._unseen_distances is None:
            return None
        return report_beside(images, self.training, self._unseen_distances)

    @property
    def kept(self) -> np.ndarray:
        """Activations of at most 10,000 of the images, evenly spread, for a kernel distance."""
        return self._real.kept

    @functools.cached_property
    def identity(self) -> str:
        """What every number measured against it depends on, in one line."""
        return (
            f"{self.dataset} {data.fingerprint(self.dataset)} {self._size} {self.split} "
            f"{self.held_out} {self.extractor.name} {self.extractor.resize}"
        )

    def settings(self) -> dict[str, str]:
        """What distances depend on, for a report."""
        other_size = taken_as(self.dataset, self._size)
        told = {
            "reference": f"{self.statistics.count} images of {self.dataset}, split {self.split}"
            + (f", taken as {other_size}" if other_size else ""),
            "features": f"{self.extractor.name}, resize {self.extractor.resize}",
        }
        if self._other is not None:
            told["real against real"] = (
                f"{self.floor:.2f}, the Frechet distance of the {self._other.count} "
                f"images of split {self.held_out} to the reference"
            )
            if self.kernel_floor is not None:
                told["real against real"] += f"; kernel distance {self.kernel_floor:.2g}"
        if self.statistics.count > KERNEL_IMAGES:
            told["kernel distance, precision, recall"] = (
                f"from at most {KERNEL_IMAGES} images of each side"
            )
        return told

    def _check_second(self, held_out: str) -> None:
        if self._of(self.split).overlaps(self._of(held_out)):
            raise ValueError(
                f"{_SECOND} must share no image with `split` of {self.dataset}, received "
                f"{held_out!r} beside {self.split!r}"
            )
        if self._of(held_out).count() < 2:
            raise ValueError(
                f"{_SECOND} must hold at least 2 images, to have a distance, received {held_out!r} "
                f"of {self.dataset}"
            )

    def _of(self, split: str) -> Split:
        return Split(self.dataset, split, self._size)


def quietly(measure: Callable[..., float], *arguments: Any) -> float:
    """Call without the warnings on few images, of which reports have a line."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* are few for .* dimensions|`logits` has .* rows for")
        return measure(*arguments)


def _fewest(*counts: int) -> int:
    """How many images of each side a measurement needs.

    A kernel distance two in every block of the larger, precision and recall one more than the three
    neighbours.
    """
    return max(2 * math.ceil(min(max(counts), KERNEL_IMAGES) / KERNEL_BLOCK), 4)
