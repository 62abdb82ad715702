"""Activations to measure, and distances computed in other ways than the package does."""

import numpy as np
import scipy.linalg


def relu_activations(count, dimension, seed, offset=0.2):
    """Correlated, rectified, of eigenvalues over several decades: what a network's features are."""
    mixing = np.random.default_rng(9).normal(size=(dimension, dimension)) / np.sqrt(dimension)
    mixing *= np.exp(-np.linspace(0, 5, dimension))
    noise = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.maximum(noise @ mixing.T + offset, 0)


def scipy_distance(real, fake):
    """The textbook formula with SciPy's general matrix square root."""
    covariances = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    return np.sum((real.mean(0) - fake.mean(0)) ** 2) + np.trace(
        covariances[0] + covariances[1] - 2 * root.real
    )


def nuclear_norm_distance(real, fake):
    """No square root of a small number: Tr (S S')^(1/2) is the nuclear norm of X X'^T."""
    centred = [
        np.linalg.qr((rows - rows.mean(0)) / np.sqrt(len(rows) - 1), mode="r")
        for rows in (real, fake)
    ]
    norm = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    traces = sum(np.sum(np.square(rows)) for rows in centred)
    return np.sum((real.mean(0) - fake.mean(0)) ** 2) + traces - 2 * norm


def sample_with_moments(mean, covariance, count, seed):
    """Points whose sample mean and unbiased sample covariance are exactly the given ones."""
    noise = np.random.default_rng(seed).normal(size=(count, len(mean)))
    noise -= noise.mean(axis=0)
    white = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise, rowvar=False))).T
    return mean + white @ np.linalg.cholesky(covariance).T
