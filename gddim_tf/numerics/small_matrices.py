"""Matrices of a few rows in a graph, by sums and products alone.

TensorFlow's own inverse, determinant, diagonal and QR decomposition are operations that converters
to other runtimes lack; of one to three rows each is a line of arithmetic.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

Rows = list[list[tf.Tensor]]


def diagonal(column: tf.Tensor) -> tf.Tensor:
    """Matrices `[..., k, k]` with columns `[..., k, 1]` on their diagonals."""
    return column * tf.constant(np.eye(column.shape[-2]), column.dtype)


def determinant(matrix: tf.Tensor) -> tf.Tensor:
    """The determinants `[...]` of matrices `[..., k, k]`, by expansion along the first row."""
    return _determinant(_entries(matrix))


def inverse(matrix: tf.Tensor) -> tf.Tensor:
    """The inverses of matrices `[..., k, k]`: transposed cofactors over the determinant."""
    rows = _entries(matrix)
    if len(rows) == 1:
        return 1.0 / matrix
    size = range(len(rows))
    cofactors = [[(-1) ** (i + j) * _determinant(_minor(rows, j, i)) for j in size] for i in size]
    joined = tf.stack([tf.stack(row, axis=-1) for row in cofactors], axis=-2)
    return joined / _determinant(rows)[..., None, None]


def orthonormal_rows(matrix: tf.Tensor) -> tf.Tensor:
    """`Q` of `R = L Q`, `L` lower triangular with a positive diagonal, by Gram and Schmidt.

    Args:
      matrix: R, `[..., k, k]`.

    Returns:
      `[..., k, k]`, orthogonal to rounding however close to singular `R R^T` is.
    """
    rows: list[tf.Tensor] = []
    for i in range(matrix.shape[-1]):
        row = matrix[..., i, :]
        for _ in range(2):  # the second time takes away what rounding left of the other rows
            for other in rows:
                row -= tf.reduce_sum(row * other, axis=-1, keepdims=True) * other
            row *= tf.math.rsqrt(tf.reduce_sum(row**2, axis=-1, keepdims=True))
        rows.append(row)
    return tf.stack(rows, axis=-2)


def _entries(matrix: tf.Tensor) -> Rows:
    size = range(matrix.shape[-1])
    return [[matrix[..., i, j] for j in size] for i in size]


def _minor(rows: Rows, i: int, j: int) -> Rows:
    """The matrix without row i and column j."""
    return [row[:j] + row[j + 1 :] for number, row in enumerate(rows) if number != i]


def _determinant(rows: Rows) -> tf.Tensor:
    if len(rows) == 1:
        return rows[0][0]
    total = rows[0][0] * _determinant(_minor(rows, 0, 0))
    for j in range(1, len(rows)):
        total += (-1) ** j * rows[0][j] * _determinant(_minor(rows, 0, j))
    return total
