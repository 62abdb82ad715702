"""Whether a model repeats its training images.

Each generated image's distance to the nearest training image is compared with the same distance of
real images that the model has not seen. A model that has learnt the distribution keeps the same
distance; one that memorises comes closer.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gddim_tf.numerics.neighbours import nearest_neighbours, rows_of

_CLOSE_QUANTILE = 0.05
_COPY_RATIO = 0.25
_CLOSEST_PAIRS = 10
MOST_UNSEEN = 2000  # so many tell how far an unseen image is from the training images


class NothingUnseenError(ValueError):
    """No image tells how far an unseen one is from the training images."""


@dataclasses.dataclass(frozen=True, eq=False)
class MemorisationReport:
    """What the nearest training images say.

    Attributes:
      generated_distances: [count], each generated image's distance to its nearest training image.
      held_out_distances: [count], the same for the held-out images.
      median_ratio: median generated distance over median held-out distance; about 1 for a model
        that does not memorise, 0 for one that copies.
      close_fraction: fraction of generated images that are nearer to a training image than the
        nearest 5 % of the held-out images are; about 0.05 for a model that does not memorise.
      closest_pairs: [pairs, 2], up to ten pairs (generated index, training index), nearest first.
      verdict: the numbers in words.

    Examples:
      >>> points = np.arange(6.0)[:, None]
      >>> report = memorisation_report(points[:2], points[:4], points[4:])
      >>> report.closest_pairs.tolist()
      [[0, 0], [1, 1]]
    """

    generated_distances: np.ndarray
    held_out_distances: np.ndarray
    median_ratio: float
    close_fraction: float
    closest_pairs: np.ndarray
    verdict: str


def memorisation_report(
    generated: ArrayLike, training: ArrayLike, held_out: ArrayLike | None = None
) -> MemorisationReport:
    """Compare generated and held-out images by their distance to the training images.

    Where nothing was held out, training images take its place, each left out in its turn: the
    distance of one to the nearest other is what an unseen image would have.

    Args:
      generated: [count, ...], images in any one scale, or their features.
      training: [count, ...], what the model was trained on.
      held_out: [count, ...], real images that it was not trained on; None if there are none.

    Raises:
      ValueError: for an empty set, NaN or infinite values, or shapes that differ beyond the first
        axis; if most of the held-out images occur among the training images; or if nothing was
        held out and all training images are equal.

    Examples:
      >>> rng = np.random.default_rng(0)
      >>> training, generated, held_out = rng.normal(size=(3, 200, 4))
      >>> 0.8 < memorisation_report(generated, training, held_out).median_ratio < 1.2
      True
      >>> memorisation_report(training, training, held_out).median_ratio
      0.0
    """
    found = nearest_neighbours(generated, training, "generated")
    return _report(*found, Unseen.of(training, held_out))


class Unseen(NamedTuple):
    """How far images that the model has not seen are from the training images.

    Attributes:
      distances: of each to its nearest training image, `[count]`.
      whose: in words.
    """

    distances: np.ndarray
    whose: str

    @classmethod
    def of(cls, training: ArrayLike, held_out: ArrayLike | None) -> Unseen:
        """Of held-out images or, without any, of training images; arguments and errors as above."""
        if held_out is None:
            return cls(_leaving_one_out(training), "training images left out one by one")
        distances, _ = nearest_neighbours(held_out, training, "held_out")
        if np.median(distances) == 0.0:
            raise NothingUnseenError(
                "`held_out` must be images that the model has not seen, received a set of which "
                "at least half are among the `training` images"
            )
        return cls(distances, "held-out images")


def report_beside(generated: ArrayLike, training: ArrayLike, unseen: Unseen) -> MemorisationReport:
    """`memorisation_report` beside known distances, which are costly with many images."""
    return _report(*nearest_neighbours(generated, training, "generated"), unseen)


def _report(distances: np.ndarray, nearest: np.ndarray, unseen: Unseen) -> MemorisationReport:
    """From distances to the nearest training images, and which those are."""
    expected = unseen.distances
    order = np.argsort(distances, kind="stable")[:_CLOSEST_PAIRS]
    report = MemorisationReport(
        generated_distances=distances,
        held_out_distances=expected,
        median_ratio=float(np.median(distances) / np.median(expected)),
        close_fraction=float(np.mean(distances < np.quantile(expected, _CLOSE_QUANTILE))),
        closest_pairs=np.stack([order, nearest[order]], axis=1),
        verdict="",
    )
    return dataclasses.replace(report, verdict=_verdict(report, unseen.whose))


def _leaving_one_out(training: ArrayLike) -> np.ndarray:
    """Distances of different training images, at most some thousand, to the nearest other one."""
    rows = np.unique(rows_of(training, "training"), axis=0)
    if len(rows) < 2:
        raise NothingUnseenError("`training` must hold different images where nothing was held out")
    chosen = np.arange(0, len(rows), math.ceil(len(rows) / MOST_UNSEEN))
    distances, _ = nearest_neighbours(rows[chosen], rows, "training", own=chosen)
    return distances


def _verdict(report: MemorisationReport, whose: str) -> str:
    """Words for the numbers; chance allows three standard errors of the 5 %."""
    generated, held_out = report.generated_distances, report.held_out_distances
    spread = _CLOSE_QUANTILE * (1 - _CLOSE_QUANTILE) * (1 / len(generated) + 1 / len(held_out))
    copy_distance = _COPY_RATIO * np.median(held_out)
    copies = int(np.sum(generated < copy_distance))
    numbers = (
        f"the median distance to the nearest training image is {report.median_ratio:.2f} times "
        f"that of {whose}, and {100 * report.close_fraction:.1f} % of the generated images "
        f"are nearer than the nearest {100 * _CLOSE_QUANTILE:.0f} % of those"
    )
    look = "look at the closest pairs."
    if report.median_ratio < 0.5 or report.close_fraction > 0.5:
        return f"The model repeats its training images: {numbers}."
    if copies / len(generated) > np.mean(held_out < copy_distance):
        told = f"{copies} of {len(generated)} generated images are all but copies"
        return f"{told} of training images; {numbers}; {look}"
    if report.close_fraction > _CLOSE_QUANTILE + 3 * math.sqrt(spread):
        told = "More generated images lie near training images than chance explains"
        return f"{told}: {numbers}; {look}"
    return f"No sign of memorisation: {numbers}."
