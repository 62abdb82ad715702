"""Precision and recall of generated images: how many look real, and how much of the real is met."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from gddim_tf.checks import whole
from gddim_tf.evaluation.distances import activation_pair
from gddim_tf.numerics.neighbours import covered


class PrecisionRecall(NamedTuple):
    """Two fractions in [0, 1].

    Attributes:
      precision: of the generated images, those that lie among the real ones.
      recall: of the real images, those that lie among the generated ones.

    Examples:
      >>> import numpy as np
      >>> rows = np.random.default_rng(0).normal(size=(20, 2))
      >>> precision_recall(rows, rows + 100.0)
      PrecisionRecall(precision=0.0, recall=0.0)
    """

    precision: float
    recall: float


def precision_recall(
    real_activations: ArrayLike,
    fake_activations: ArrayLike,
    neighbours: int = 3,
    block_size: int = 2048,
) -> PrecisionRecall:
    """Improved precision and recall of two sets of activations.

    Around each activation of a set stands a ball that just reaches its k-th nearest neighbour in
    the same set; an activation of the other set lies among them if it is in any of these balls,
    surfaces included (Kynkaanniemi et al. 2019, arXiv 1904.06991, eq. 1 and 2, k = 3). Both
    fractions depend on the numbers of images: compare them between equal ones.

    Args:
      real_activations: [count, dimension], more than `neighbours` rows, finite.
      fake_activations: [count, dimension], likewise; the two counts may differ.
      neighbours: k.
      block_size: rows whose distances are held at a time; memory grows with this times the larger
        count, and the result does not depend on it.

    Returns:
      Precision and recall.

    Raises:
      TypeError: if `neighbours` or `block_size` is not a whole number.
      ValueError: for a wrong rank, NaN or infinite entries, dimensions that differ, `neighbours`
        that are not between 1 and the counts, or a `block_size` below 1.

    Examples:
      precision, recall = precision_recall(features(real_images), features(generated_images))
    """
    real, fake = activation_pair(real_activations, fake_activations)
    fewest = min(len(real), len(fake))
    if not 1 <= whole("neighbours", neighbours, 0) < fewest:
        raise ValueError(
            f"`neighbours` must be at least 1 and below the {fewest} rows of the smaller set, "
            f"received {neighbours}"
        )
    whole("block_size", block_size, 1)
    # Distances from a centre near to all rows lose least to rounding.
    centre = real.mean(axis=0)
    real, fake = real - centre, fake - centre
    return PrecisionRecall(
        precision=covered(fake, real, neighbours, block_size),
        recall=covered(real, fake, neighbours, block_size),
    )
