"""Small matrices per pixel: transpose, root, product with a packed state, sum over the image."""

from __future__ import annotations

import functools
import math
import operator

import numpy as np
import tensorflow as tf


def transpose(matrix: np.ndarray) -> np.ndarray:
    """Swap the last two axes."""
    return np.swapaxes(matrix, -1, -2)


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """`left @ right` for k x k matrices; for k = 1, where a loop over matrices is slow, by `*`."""
    return left * right if left.shape[-1] == 1 else left @ right


def inverse(matrix: np.ndarray) -> np.ndarray:
    """The inverse of k x k matrices; for k = 1 by division."""
    return 1.0 / matrix if matrix.shape[-1] == 1 else np.linalg.inv(matrix)


def positive_root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric root of matrices that rounding may have made slightly indefinite."""
    values, vectors = np.linalg.eigh(0.5 * (covariance + transpose(covariance)))
    return vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :] @ transpose(vectors)


def apply_matrix(
    matrix: tf.Tensor,
    state: tf.Tensor,
    mode_index: np.ndarray | tf.Tensor | None = None,
    batched: bool = False,
) -> tf.Tensor:
    """`matrix @ state` for states that pack their k components along the channels.

    Args:
      matrix: `[*modes, rows, k]`, or `[batch, *modes, rows, k]` if `batched`.
      state: `[batch, ..., k * C]`; component i is `state[..., i * C : (i + 1) * C]`.
      mode_index: spreads a single axis of distinct modes over the image axes.
      batched: whether the first axis of `matrix` is the batch.

    Returns:
      `[batch, ..., rows * C]`.
    """
    rows, columns = matrix.shape[-2:]
    if mode_index is not None:
        matrix = tf.gather(matrix, mode_index, axis=-3)
    entries = _entries(matrix, state.shape.rank if batched else None)
    parts = tf.split(state, columns, axis=-1) if columns > 1 else [state]
    products = [
        functools.reduce(operator.add, [row[j] * parts[j] for j in range(columns)])
        for row in (entries[i * columns : (i + 1) * columns] for i in range(rows))
    ]
    return tf.concat(products, axis=-1) if rows > 1 else products[0]


def _entries(matrix: tf.Tensor, rank: int | None) -> list[tf.Tensor]:
    """The entries of matrices `[batch, *modes, rows, columns]`, row by row, each `[batch, *modes]`.

    Taken apart by one operation of few axes: LiteRT cannot slice more than five, and ONNX's
    converter cannot slice what it does not know the number of axes of.

    Args:
      matrix: the matrices; without the batch where there is no `rank`.
      rank: None, or the number of axes that entries get, those that are missing after the batch.
    """
    leading = [-1, *matrix.shape[1:-2]] if rank else matrix.shape[:-2].as_list()
    flat = tf.reshape(matrix, [*leading, math.prod(matrix.shape[-2:])])
    entries = tf.unstack(flat, axis=len(leading))
    if not rank:
        return entries
    shape = [-1] + [1] * (rank - len(leading)) + leading[1:]
    return [tf.reshape(entry, shape) for entry in entries]


def sum_over_pixels(
    values: np.ndarray, shape: tuple[int, ...], mode_index: np.ndarray | None = None
) -> float:
    """The sum over an image of a number per mode, such as a log-determinant.

    Args:
      values: `[*modes]`.
      shape: of one image, `(height, width, C)` or `(d,)`.
      mode_index: None, or an integer array that spreads one axis of distinct modes over the image
        axes.
    """
    values = np.asarray(values) if mode_index is None else values[mode_index]
    return float(np.broadcast_to(values, shape).sum())
