"""Distances between two sets of activations, and the Inception score of one set of logits.

All numbers come from TF-GAN's functions, in float64. Two things are done around them. TF-GAN takes
square roots of no eigenvalue below 1e-10, an absolute number, so that its Frechet distance is wrong
(by factors) for activations much smaller than 1; the distance is homogeneous, `d(c x, c y) =
c^2 d(x, y)`, and both sets are therefore brought to one working scale first. And a distance from
few images is far from what many images would give, so a warning says by how much.

Sources: Heusel et al. 2017 (arXiv 1706.08500, the Frechet distance), Binkowski et al. 2018
(arXiv 1801.01401, the kernel distance), Salimans et al. 2016 (arXiv 1606.03498, the score).
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.evaluation.tfgan import classifier_metrics

_FEW_IMAGES = 2048
_WORKING_DEVIATION = 10.0


def frechet_distance(real_activations: ArrayLike, fake_activations: ArrayLike) -> float:
    """Frechet distance between Gaussians fitted to two sets of activations (the "FID").

    `|m_r - m_f|^2 + Tr(S_r + S_f - 2 (S_r S_f)^{1/2})`, with sample means `m` and unbiased sample
    covariances `S`. Sets that do not fit into memory go through
    `gddim_tf.evaluation.ActivationStatistics` instead.

    Args:
        real_activations: [count, dimension], at least two rows, finite.
        fake_activations: [count, dimension], likewise; the two counts may differ.

    Returns:
        The distance, never negative. It is biased upwards for finite sets; `frechet_floor` says
        by how much, and so does a `UserWarning` when either set is small.

    Raises:
        ValueError: for a wrong rank, fewer than two rows, NaN or infinite entries, or dimensions
            that differ.
        ImportError: if TF-GAN is not installed.
    """
    real, fake = activation_pair(real_activations, fake_activations)
    counts = len(real), len(fake)
    if few_images(*counts, real.shape[1]):
        larger = max(real, fake, key=len)
        warn_of_floor(*counts, np.cov(larger, rowvar=False))
    scale = working_scale((real.var(axis=0).mean() + fake.var(axis=0).mean()) / 2)
    distance = classifier_metrics().frechet_classifier_distance_from_activations(
        tf.constant(scale * real), tf.constant(scale * fake)
    )
    return max(float(distance) / scale**2, 0.0)


def kernel_distance(
    real_activations: ArrayLike, fake_activations: ArrayLike, block_size: int = 1024
) -> float:
    """Kernel distance between two sets of activations (the "KID"), unbiased at any count.

    `E k(r, r') + E k(f, f') - 2 E k(r, f)` with `k(a, b) = (a.b / dimension + 1)^3`, averaged over
    blocks of rows. Rows are shuffled first (always in the same way), since blocks of a set that is
    sorted by class would not represent it.

    Args:
        real_activations: [count, dimension], at least two rows, finite.
        fake_activations: [count, dimension], likewise; the two counts may differ.
        block_size: greatest number of rows per block; time and memory grow with its square.

    Returns:
        The squared maximum mean discrepancy; it may come out slightly negative for equal sets.

    Raises:
        ValueError: as `frechet_distance`, and if the smaller set has fewer than two rows for each
            block of the larger.
        ImportError: if TF-GAN is not installed.
    """
    real, fake = activation_pair(real_activations, fake_activations)
    blocks = math.ceil(max(len(real), len(fake)) / block_size) if block_size >= 2 else math.inf
    if min(len(real), len(fake)) < 2 * blocks:
        raise ValueError(
            "`block_size` must leave at least two rows of each set in every block, received "
            f"{block_size} for sets of {len(real)} and {len(fake)} rows"
        )
    shuffled = [tf.constant(np.random.default_rng(0).permutation(rows)) for rows in (real, fake)]
    return float(
        classifier_metrics().kernel_classifier_distance_from_activations(
            *shuffled, max_block_size=block_size
        )
    )


def inception_score(logits: ArrayLike) -> float:
    """Inception score `exp(E KL(p(y | x) || p(y)))` of the logits of generated images.

    Args:
        logits: [count, classes], at least two rows, finite.

    Returns:
        The score, between 1 and the number of classes. Few images bias it downwards; a
        `UserWarning` then says by how much, to first order: `log` of the score loses
        `1/(2 count) sum_k Var p_k / E p_k`, the loss of any plug-in entropy.

    Raises:
        ValueError: for a wrong rank, fewer than two rows, NaN or infinite entries.
        ImportError: if TF-GAN is not installed.
    """
    values = _activations(logits, "logits")
    # Below exp(-700) the softmax is 0, and 0 log 0 would come out as NaN.
    values = np.maximum(values - values.max(axis=1, keepdims=True), -700.0)
    count, classes = values.shape
    if few_images(count, count, classes):
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


def frechet_floor(covariance: ArrayLike, count_real: int, count_fake: int) -> float:
    """Frechet distance to expect between two samples of one and the same Gaussian.

    To second order in the errors of the sample moments, with `l` the eigenvalues of the
    covariance,
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


def few_images(count_real: int, count_fake: int, dimension: int) -> bool:
    """Whether a distance from so many images needs a word on its bias."""
    return min(count_real, count_fake) < max(_FEW_IMAGES, 2 * dimension)


def warn_of_floor(count_real: int, count_fake: int, covariance: np.ndarray) -> None:
    """Warn the caller's caller of a Frechet distance's bias, and say what chance alone gives."""
    floor = frechet_floor(covariance, count_real, count_fake)
    warnings.warn(
        f"{count_real} real and {count_fake} generated images are few for "
        f"{np.atleast_2d(covariance).shape[0]} dimensions: the Frechet distance is biased upwards; "
        f"two samples of one distribution of these sizes would lie about {floor:.3g} apart. "
        "Compare it only with distances from the same numbers of images, or use "
        "`kernel_distance`, which has no bias",
        UserWarning,
        stacklevel=3,
    )


def working_scale(mean_variance: float) -> float:
    """Factor for activations that puts their eigenvalues well above TF-GAN's threshold of 1e-10.

    Args:
        mean_variance: variance averaged over dimensions and over both sets.

    Returns:
        The factor that makes the root-mean-square deviation 10; 1 for constant activations.
    """
    return _WORKING_DEVIATION / math.sqrt(mean_variance) if mean_variance > 0 else 1.0


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
