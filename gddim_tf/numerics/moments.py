"""Mean and covariance of rows that come batch by batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


class Moments:
    """Running count, mean and scatter matrix of activations in float64.

    A batch with mean `b`, scatter `B` and `n` rows is merged into mean `m`, scatter `M` and count
    `N` by `m' = m + d n / (N + n)` and `M' = M + B + d d^T N n / (N + n)` with `d = b - m` (Chan,
    Golub and LeVeque 1983). No sum of squares of uncentred activations is ever formed, which a
    large mean would drown.

    Args:
      dimension: number of features per row.

    Attributes:
      count: number of rows so far.
      mean: [dimension].

    Examples:
      >>> moments = Moments(1)
      >>> moments.update([[0.0], [2.0]])
      >>> moments.covariance.item()
      2.0
    """

    def __init__(self, dimension: int) -> None:
        if dimension < 1:
            raise ValueError(f"`dimension` must be at least 1, received {dimension}")
        self.dimension, self.count, self.mean = dimension, 0, np.zeros(dimension)
        self._scatter = np.zeros((dimension, dimension))

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance [dimension, dimension]; needs at least two images."""
        if self.count < 2:
            raise ValueError(f"a covariance needs at least two images, received {self.count}")
        return self._scatter / (self.count - 1)

    def update(self, activations: ArrayLike) -> None:
        """Add a batch of activations.

        Args:
          activations: [batch, dimension], finite; the batch may be empty.

        Raises:
          ValueError: for another shape, or NaN or infinite entries; nothing is added then.
        """
        batch = np.asarray(activations, dtype=np.float64)
        if batch.ndim != 2 or batch.shape[1] != self.dimension:
            raise ValueError(
                f"`activations` must have shape [batch, {self.dimension}], received {batch.shape}"
            )
        if not np.isfinite(batch).all():
            raise ValueError("`activations` must be finite, received NaN or infinity")
        if len(batch):
            mean = batch.mean(axis=0)
            centred = batch - mean
            self._merge(len(batch), mean, centred.T @ centred)

    def merge(self, other: Moments) -> None:
        """Add what other statistics of the same dimension, gathered elsewhere, have seen."""
        if other.dimension != self.dimension:
            raise ValueError(
                f"`other` must have dimension {self.dimension}, received {other.dimension}"
            )
        if other.count:
            self._merge(other.count, other.mean, other._scatter)

    def _merge(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        """Chan's update with another set's count, mean and scatter."""
        total = self.count + count
        difference = mean - self.mean
        self.mean = self.mean + difference * (count / total)
        self._scatter += scatter
        self._scatter += np.outer(difference, difference * (self.count * count / total))
        self.count = total
