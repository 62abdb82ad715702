"""Distances between two sets of activations, and what one set of logits says.

All numbers come from TF-GAN's functions, in float64. Two things are done around them. TF-GAN takes
square roots of no eigenvalue below 1e-10, an absolute number, so that its Frechet distance is wrong
(by factors) for activations much smaller than 1; the distance is homogeneous, and both sets are
brought to one working scale first. And a distance from few images is far from what many would give,
so a warning says by how much.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.checks import whole
from gddim_tf.evaluation.statistics import ActivationStatistics
from gddim_tf.tfgan import classifier_metrics

_FEW_IMAGES = 2048
_WORKING_DEVIATION = 10.0


def frechet_distance(real_activations: ArrayLike, fake_activations: ArrayLike) -> float:
    """Frechet distance between Gaussians fitted to two sets of activations (the "FID").

    `|m_r - m_f|^2 + Tr(S_r + S_f - 2 (S_r S_f)^{1/2})`, with sample means `m` and unbiased sample
    covariances `S` (Heusel et al. 2017, arXiv 1706.08500). Sets that do not fit into memory go
    through `ActivationStatistics` instead.

    Args:
      real_activations: [count, dimension], at least two rows, finite.
      fake_activations: [count, dimension], likewise; the two counts may differ.

    Returns:
      The distance, never negative. It is biased upwards for finite sets; `frechet_floor` says by
      how much, and so does a `UserWarning` when either set is small.

    Raises:
      ValueError: for a wrong rank, fewer than two rows, NaN or infinite entries, or dimensions that
        differ.
      ImportError: if TF-GAN is not installed.

    Examples:
      >>> rows = np.random.default_rng(0).normal(size=(4096, 2))
      >>> round(frechet_distance(rows, rows + 2), 6)
      8.0
    """
    real, fake = map(ActivationStatistics.of, activation_pair(real_activations, fake_activations))
    return _distance_of_gaussians(real, fake)


def frechet_distance_from_statistics(
    real: ActivationStatistics, fake: ActivationStatistics
) -> float:
    """Frechet distance from two gathered statistics; equals `frechet_distance` of the activations.

    Args:
      real: statistics of the real images' activations, at least two images.
      fake: statistics of the generated images' activations, at least two images.

    Returns:
      The distance, never negative; see `frechet_distance` for its bias and warning.

    Raises:
      ValueError: if the dimensions differ, either has fewer than two images, or both were loaded
        and come from different extractors or resizing.
      ImportError: if TF-GAN is not installed.
    """
    fake.check_comparable(real)
    return _distance_of_gaussians(real, fake)


def _distance_of_gaussians(real: ActivationStatistics, fake: ActivationStatistics) -> float:
    """The distance; if the images are few, the caller's caller is warned."""
    counts, dimension = (real.count, fake.count), real.dimension
    covariances = real.covariance, fake.covariance
    if _few_images(*counts, dimension):
        floor = frechet_floor(covariances[int(counts[1] > counts[0])], *counts)
        warnings.warn(
            f"{counts[0]} real and {counts[1]} generated images are few for {dimension} "
            "dimensions: the Frechet distance is biased upwards; two samples of one distribution "
            f"of these sizes would lie about {floor:.3g} apart. Compare it only with distances "
            "from the same numbers of images, or use `kernel_distance`, which has no bias",
            UserWarning,
            stacklevel=3,
        )
    traces = np.trace(covariances[0]) + np.trace(covariances[1])
    # root-mean-square deviation 10, well above TF-GAN's threshold
    scale = _WORKING_DEVIATION / math.sqrt(traces / (2 * dimension)) if traces > 0 else 1.0
    root = classifier_metrics().trace_sqrt_product(
        *(tf.constant(scale**2 * covariance) for covariance in covariances)
    )
    apart = np.sum(np.square(real.mean - fake.mean))
    return max(float(apart + traces - 2 * float(root) / scale**2), 0.0)


def kernel_distance(
    real_activations: ArrayLike, fake_activations: ArrayLike, block_size: int = 1024
) -> float:
    """Kernel distance between two sets of activations (the "KID"), unbiased at any count.

    `E k(r, r') + E k(f, f') - 2 E k(r, f)` with `k(a, b) = (a.b / dimension + 1)^3`, averaged over
    blocks of rows (Binkowski et al. 2018, arXiv 1801.01401). Rows are shuffled first, always in the
    same way, since blocks of a set that is sorted by class would not represent it.

    Args:
      real_activations: [count, dimension], at least two rows, finite.
      fake_activations: [count, dimension], likewise; the two counts may differ.
      block_size: greatest number of rows per block; time and memory grow with its square.

    Returns:
      The squared maximum mean discrepancy; it may come out slightly negative for equal sets.

    Raises:
      TypeError: if `block_size` is not a whole number.
      ValueError: for sets that `frechet_distance` refuses, and if the smaller has fewer than two
        rows for each block of the larger.
      ImportError: if TF-GAN is not installed.
    """
    whole("block_size", block_size, 0)
    real, fake = activation_pair(real_activations, fake_activations)
    blocks = math.ceil(max(len(real), len(fake)) / block_size) if block_size >= 2 else math.inf
    if min(len(real), len(fake)) < 2 * blocks:
        raise ValueError(
            "`block_size` must leave at least two rows of each set in every block, received "
            f"{block_size} for sets of {len(real)} and {len(fake)} rows"
        )
    shuffled = [tf.constant(np.random.default_rng(0).permutation(rows)) for rows in (real, fake)]
    distance = classifier_metrics().kernel_classifier_distance_from_activations
    return float(distance(*shuffled, max_block_size=block_size))


def inception_score(logits: ArrayLike) -> float:
    """Inception score `exp(E KL(p(y | x) || p(y)))` of the logits of generated images.

    Salimans et al. 2016, arXiv 1606.03498.

    Args:
      logits: [count, classes], at least two rows, finite.

    Returns:
      The score, between 1 and the number of classes. Few images bias it downwards; a `UserWarning`
      then says by how much, to first order: `log` of the score loses
      `1/(2 count) sum_k Var p_k / E p_k`, the loss of any plug-in entropy.

    Raises:
      ValueError: for a wrong rank, fewer than two rows, NaN or infinite entries.
      ImportError: if TF-GAN is not installed.
    """
    values = _activations(logits, "logits")
    # Below exp(-700) the softmax is 0, and 0 log 0 would come out as NaN.
    values = np.maximum(values - values.max(axis=1, keepdims=True), -700.0)
    count, classes = values.shape
    if _few_images(count, count, classes):
        probabilities = tf.nn.softmax(values).numpy()
        loss = np.sum(probabilities.var(axis=0) / probabilities.mean(axis=0)) / (2 * count)
        warnings.warn(
            f"`logits` has {count} rows for {classes} classes: an Inception score from so few "
            f"images is too low, here by about {100 * -math.expm1(-loss):.2g} %; compare it only "
            "with scores from the same number of images",
            UserWarning,
            stacklevel=2,
        )
    return float(classifier_metrics().classifier_score_from_logits(tf.constant(values)))


def label_agreement(logits: np.ndarray, labels: ArrayLike, classes: int) -> float | None:
    """Fraction of the images whose largest logit is that of their label.

    Args:
      logits: [count, classes].
      labels: [count], of the images.
      classes: how many the labels tell apart.

    Returns:
      The fraction; None if the logits are of other classes.
    """
    if logits.shape[1] != classes:
        return None
    return float(np.mean(np.argmax(logits, axis=1) == np.asarray(labels)))


def frechet_floor(covariance: ArrayLike, count_real: int, count_fake: int) -> float:
    """Frechet distance to expect between two samples of one and the same Gaussian.

    To second order in the errors of the moments, with `l` the eigenvalues of the covariance,
    `(1/count_real + 1/count_fake) (5/4 sum_i l_i + 1/2 sum_ij l_i l_j / (l_i + l_j))`:
    the first part is the error of the means and of the diagonal, the second what the Bures metric
    makes of a Wishart error. It holds within some percent from about two images per dimension on,
    and gives the order of magnitude below.

    Args:
      covariance: [dimension, dimension], best from the larger of the two sets.
      count_real: number of real images.
      count_fake: number of generated images.

    Returns:
      The floor: a measured distance close to it says that no difference was seen.
    """
    eigenvalues = np.linalg.eigvalsh(np.atleast_2d(np.asarray(covariance, dtype=np.float64)))
    kept = eigenvalues[eigenvalues > 1e-12 * eigenvalues[-1]]
    bures = np.sum(np.outer(kept, kept) / np.add.outer(kept, kept)) / 2
    return float((1 / count_real + 1 / count_fake) * (1.25 * kept.sum() + bures))


def _few_images(count_real: int, count_fake: int, dimension: int) -> bool:
    """Whether a distance from so many images needs a word on its bias."""
    return min(count_real, count_fake) < max(_FEW_IMAGES, 2 * dimension)


def activation_pair(real: ArrayLike, fake: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as float64 matrices, checked as `frechet_distance` says."""
    real_matrix = _activations(real, "real_activations")
    fake_matrix = _activations(fake, "fake_activations")
    if real_matrix.shape[1] != fake_matrix.shape[1]:
        raise ValueError(
            "`fake_activations` must have the dimension of `real_activations`, "
            f"{real_matrix.shape[1]}, received {fake_matrix.shape[1]}"
        )
    return real_matrix, fake_matrix


def _activations(value: ArrayLike, name: str) -> np.ndarray:
    """One set as a checked float64 matrix."""
    matrix = np.asarray(value, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"`{name}` must have shape [count, dimension], received {matrix.shape}")
    if len(matrix) < 2:
        raise ValueError(f"`{name}` must have at least two rows, received {len(matrix)}")
    if not np.isfinite(matrix).all():
        bad = int(np.sum(~np.isfinite(matrix).all(axis=1)))
        raise ValueError(
            f"`{name}` must be finite, received NaN or infinity in {bad} of {len(matrix)} rows"
        )
    return matrix
