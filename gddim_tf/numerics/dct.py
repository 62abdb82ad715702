"""The orthonormal discrete cosine transform of images, and the frequencies that share a decay."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf


@functools.cache
def dct_basis(size: int) -> np.ndarray:
    """The orthonormal DCT-II of `size` points, `[frequency, place]`."""
    frequency, place = np.arange(size)[:, None], np.arange(size)[None, :]
    basis = np.sqrt(2 / size) * np.cos(np.pi * frequency * (2 * place + 1) / (2 * size))
    basis[0] /= np.sqrt(2)
    return basis


def laplacian_modes(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The distinct eigenvalues of minus the Laplacian on a square image, in the cosine basis.

    Frequency (k, l) of a `size` x `size` image decays under heat diffusion at the rate
    `lambda = pi^2 (k^2 + l^2) / size^2`; frequencies with equal `k^2 + l^2` share it.

    Args:
      size: height and width, in pixels.

    Returns:
      The eigenvalues `[modes]`, increasing, and the `mode_index` `[size, size, 1]` of an SDE that
      has one matrix for each of them: `eigenvalues[mode_index[k, l, 0]]` is that of (k, l).
    """
    squares = np.arange(size)[:, None] ** 2 + np.arange(size)[None, :] ** 2
    distinct, index = np.unique(squares, return_inverse=True)
    return np.pi**2 * distinct / size**2, index.reshape(size, size, 1).astype(np.int32)


def dct(images: tf.Tensor, size: int) -> tf.Tensor:
    """The coefficients of images `[batch, size, size, C]`, per channel, of the same shape.

    Raises:
      ValueError: if the images are not `size` x `size`.
    """
    return _transform(images, dct_basis(size))


def inverse_dct(coefficients: tf.Tensor, size: int) -> tf.Tensor:
    """The images of coefficients `[batch, size, size, C]`; the inverse of `dct`.

    Raises:
      ValueError: if the coefficients are not `size` x `size`.
    """
    return _transform(coefficients, dct_basis(size).T)


def _transform(values: tf.Tensor, basis: np.ndarray) -> tf.Tensor:
    size = len(basis)
    if values.shape.rank != 4 or tuple(values.shape[1:3]) != (size, size):
        raise ValueError(
            f"an SDE in the cosine basis of `image_size` {size} takes images "
            f"[batch, {size}, {size}, C], received {values.shape}"
        )
    basis = tf.constant(basis, values.dtype)
    return tf.einsum("ki,lj,bijc->bklc", basis, basis, values, optimize="greedy")
