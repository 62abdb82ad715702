"""The orthonormal discrete cosine transform of images, and the frequencies that share a decay."""

from __future__ import annotations

import functools
import math

import numpy as np
import tensorflow as tf

from gddim_tf.image_size import ImageSize, compact, sides


@functools.cache
def dct_basis(size: int) -> np.ndarray:
    """The orthonormal DCT-II of `size` points, `[frequency, place]`."""
    frequency, place = np.arange(size)[:, None], np.arange(size)[None, :]
    basis = np.sqrt(2 / size) * np.cos(np.pi * frequency * (2 * place + 1) / (2 * size))
    basis[0] /= np.sqrt(2)
    return basis


def laplacian_modes(size: ImageSize) -> tuple[np.ndarray, np.ndarray]:
    """The distinct eigenvalues of minus the Laplacian on an image, in the cosine basis.

    Frequency (k, l) of an H x W image decays under heat diffusion at the rate
    `lambda = pi^2 (k^2 / H^2 + l^2 / W^2)`; frequencies with equal ones share it.

    Args:
      size: pixels a side, or (height, width).

    Returns:
      The eigenvalues `[modes]`, increasing, and the `mode_index` `[H, W, 1]` of an SDE that
      has one matrix for each of them: `eigenvalues[mode_index[k, l, 0]]` is that of (k, l).
    """
    height, width = sides(size)
    # in whole numbers, so that equal ones are equal
    common = math.lcm(height, width)
    rows = (np.arange(height) * (common // height)) ** 2
    columns = (np.arange(width) * (common // width)) ** 2
    distinct, index = np.unique(rows[:, None] + columns[None, :], return_inverse=True)
    return np.pi**2 * distinct / common**2, index.reshape(height, width, 1).astype(np.int32)


def dct(images: tf.Tensor, size: ImageSize) -> tf.Tensor:
    """The coefficients of images `[batch, H, W, C]`, per channel, of the same shape.

    Raises:
      ValueError: if the images are not of that size.
    """
    rows, columns = map(dct_basis, sides(size))
    return _transform(images, rows, columns)


def inverse_dct(coefficients: tf.Tensor, size: ImageSize) -> tf.Tensor:
    """The images of coefficients `[batch, H, W, C]`; the inverse of `dct`.

    Raises:
      ValueError: if the coefficients are not of that size.
    """
    rows, columns = map(dct_basis, sides(size))
    return _transform(coefficients, rows.T, columns.T)


def _transform(values: tf.Tensor, rows: np.ndarray, columns: np.ndarray) -> tf.Tensor:
    size, values = (len(rows), len(columns)), tf.convert_to_tensor(values)
    if values.shape.rank != 4 or tuple(values.shape[1:3]) != size:
        raise ValueError(
            f"an SDE in the cosine basis of `image_size` {compact(size)} takes images "
            f"[batch, {size[0]}, {size[1]}, C], received {values.shape}"
        )
    rows, columns = tf.constant(rows, values.dtype), tf.constant(columns, values.dtype)
    return tf.einsum("ki,lj,bijc->bklc", rows, columns, values, optimize="greedy")
