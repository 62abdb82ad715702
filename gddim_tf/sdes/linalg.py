"""Small matrices per pixel: a transpose, and the product with a packed state."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def transpose(matrix: np.ndarray) -> np.ndarray:
    """Swap the last two axes."""
    return np.swapaxes(matrix, -1, -2)


def apply_matrix(
    matrix: tf.Tensor,
    state: tf.Tensor,
    mode_index: np.ndarray | None = None,
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
    if batched:
        for _ in range(state.shape.rank + 2 - matrix.shape.rank):
            matrix = tf.expand_dims(matrix, 1)
    parts = tf.split(state, columns, axis=-1) if columns > 1 else [state]
    products = [sum(matrix[..., i, j] * parts[j] for j in range(columns)) for i in range(rows)]
    return tf.concat(products, axis=-1) if rows > 1 else products[0]
