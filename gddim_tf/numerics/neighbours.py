"""Distances between the rows of two sets, one block at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike


def nearest_neighbours(
    queries: ArrayLike,
    references: ArrayLike,
    name: str = "queries",
    block_size: int = 1024,
    own: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distance and index of each query's nearest reference.

    Neighbours are found by `|q - r|^2 = |q|^2 + |r|^2 - 2 q.r`, one block of queries against one
    block of references at a time, and the distance to the one that was found is then computed from
    the difference, so that a copy is at distance 0 exactly.

    Args:
      queries: [count, ...].
      references: [count, ...], of the same shape beyond the first axis.
      name: what the queries are called in error messages.
      block_size: rows per block; memory grows with its square.
      own: None, or [count], a reference of each query that is not to be found.

    Returns:
      Distances [count] in float64 and indices into `references` [count].

    Raises:
      ValueError: for an empty set, NaN or infinite values, or different shapes.
    """
    query_rows, reference_rows = rows_of(queries, name), rows_of(references, "training")
    if np.shape(queries)[1:] != np.shape(references)[1:]:
        raise ValueError(
            f"`{name}` must have the shape of the training images beyond the first axis, "
            f"{np.shape(references)[1:]}, received {np.shape(queries)[1:]}"
        )
    distances = np.empty(len(query_rows))
    indices = np.empty(len(query_rows), dtype=np.int64)
    for start in range(0, len(query_rows), block_size):
        block = query_rows[start : start + block_size].astype(np.float64)
        left_out = None if own is None else own[start : start + block_size]
        found = _nearest_of_block(block, reference_rows, block_size, left_out)
        indices[start : start + block_size] = found
        difference = block - reference_rows[found]
        distances[start : start + block_size] = np.linalg.norm(difference, axis=1)
    return distances, indices


def _nearest_of_block(
    block: np.ndarray, references: np.ndarray, block_size: int, left_out: np.ndarray | None
) -> np.ndarray:
    """Index of the nearest reference of each row of a float64 block."""
    best = np.full(len(block), np.inf)
    indices = np.zeros(len(block), dtype=np.int64)
    for start in range(0, len(references), block_size):
        candidates = references[start : start + block_size].astype(np.float64)
        # |q|^2 is the same for all references and does not decide.
        scores = np.sum(np.square(candidates), axis=1) - 2 * (block @ candidates.T)
        if left_out is not None:
            (here,) = np.nonzero((left_out >= start) & (left_out < start + len(candidates)))
            scores[here, left_out[here] - start] = np.inf
        winners = np.argmin(scores, axis=1)
        values = scores[np.arange(len(block)), winners]
        better = values < best
        best[better] = values[better]
        indices[better] = start + winners[better]
    return indices


def rows_of(values: ArrayLike, name: str) -> np.ndarray:
    """One row per image, checked."""
    array = np.asarray(values)
    if array.ndim < 2 or array.size == 0:
        raise ValueError(
            f"`{name}` must have shape [count, ...] with at least one image, received {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"`{name}` must be finite, received NaN or infinity")
    return array.reshape(len(array), -1)


def covered(rows: np.ndarray, support: np.ndarray, neighbours: int, block_size: int) -> float:
    """Fraction of rows in a ball around a row of the support that just reaches its k-th neighbour.

    Args:
      rows: [count, dimension].
      support: [centres, dimension], more than `neighbours`.
      neighbours: k, the row itself not counted.
      block_size: rows whose distances are held at a time.
    """
    radii = np.concatenate(
        [
            # the nearest of all is the row itself
            np.partition(distances, neighbours, axis=1)[:, neighbours]
            for distances in _squared_distances(support, support, block_size)
        ]
    )
    inside = [
        (distances <= radii).any(axis=1)
        for distances in _squared_distances(rows, support, block_size)
    ]
    return float(np.concatenate(inside).mean())


def _squared_distances(
    rows: np.ndarray, others: np.ndarray, block_size: int
) -> Iterator[np.ndarray]:
    """Squared distances [block, len(others)] of one block of rows after another."""
    norms = np.sum(others**2, axis=1)
    for first in range(0, len(rows), block_size):
        block = rows[first : first + block_size]
        squares = np.sum(block**2, axis=1)[:, None] + norms - 2.0 * (block @ others.T)
        yield np.maximum(squares, 0.0)
