"""Give images back the variance that least squares takes from them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.tuning.bands import Bands


class SecondMoments:
    """The second moments of fitted states beside those of the states to be reached.

    Least squares shrinks towards the mean what it cannot tell. A row times
    `s = (E|u*|^2 / E|u|^2)^(1/2)`, a number per component (and band), keeps the marginal second
    moment; its prior is 1 with the weight `mu` of the analytic rows: `(s + mu) / (1 + mu)`.

    Args:
      bands: which values share a number.
    """

    def __init__(self, bands: Bands) -> None:
        self._bands = bands
        self._own, self._goal = np.zeros((2, len(bands.members), bands.components))

    def add(self, state: tf.Tensor, goal: np.ndarray) -> None:
        """Take a batch of states, and of those to be reached, into account."""
        for sums, states in ((self._own, state), (self._goal, goal)):
            squares = np.square(self._bands.per_value(states)).sum(axis=0)
            sums += [squares[members].sum(axis=0) for members in self._bands.members]

    def kept(
        self, state: np.ndarray, weights: np.ndarray, ridge: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """A row that keeps the second moment.

        Args:
          state: A of the row, `[*modes, k, k]`.
          weights: its C, `[outputs, *modes, k, k]`.
          ridge: mu.

        Returns:
          A and the C.
        """
        told = self._own > 0
        lost = np.where(told, self._goal, 1.0) / np.where(told, self._own, 1.0)
        scale = self._bands.spread((np.sqrt(lost) + ridge) / (1 + ridge))[..., None]
        return scale * state, scale * weights
