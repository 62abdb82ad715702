"""The weights of a row by least squares, with the analytic ones as prior."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.tuning.bands import Bands
from gddim_tf.samplers.weights import exponential_weights
from gddim_tf.sdes import LinearSDE

# The analytic weights that stand in for what the seeds do not tell.
_PRIOR_ORDER, _PRIOR_VARIABLE = 2, "sqrt_vp_time"


class RowFit:
    """Correct the weights `W = (A, C_0, C_1, ...)` of a row so that it leads to given states.

    With `f = (u, eps_0, eps_1, ...)` per pixel and the prior `W_0` of each mode it minimises
    `sum |u* - (W_0 + D) f|^2 + mu |D|^2` over one `k x K` matrix D per band, `mu` in units of
    `tr(sum f f^T) / K`: `D = (sum (u* - W_0 f) f^T) (sum f f^T + mu)^{-1}`, in float64. The sums
    are all that is kept of the states.

    Args:
      bands: which pixels share a D.
      outputs: how many outputs the row has.
    """

    def __init__(self, bands: Bands, outputs: int) -> None:
        self._bands, size = bands, bands.components * (1 + outputs)
        self._features = np.zeros((len(bands.members), size, size))
        self._products = np.zeros((len(bands.members), bands.components, size))

    def add(self, inputs: Sequence[tf.Tensor], residual: tf.Tensor | np.ndarray) -> None:
        """Take a batch into account.

        Args:
          inputs: the state and the outputs, newest first, each `[batch, ..., k * C]`.
          residual: `u* - W_0 f`, like a state.
        """
        features = np.concatenate([self._bands.per_value(u) for u in inputs], axis=-1)
        missed = self._bands.per_value(residual)
        for b, members in enumerate(self._bands.members):
            f = features[:, members].reshape(-1, features.shape[-1])
            r = missed[:, members].reshape(-1, missed.shape[-1])
            self._features[b] += f.T @ f
            self._products[b] += r.T @ f

    def corrected(
        self, state: np.ndarray, weights: np.ndarray, ridge: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """`W_0 + D`.

        Args:
          state: A of the prior, `[*modes, k, k]`.
          weights: the C of the prior, `[outputs, *modes, k, k]`.
          ridge: mu.

        Returns:
          A and the C.
        """
        size = self._features.shape[-1]
        scale = ridge * np.trace(self._features, axis1=-2, axis2=-1) / size
        normal = self._features + scale[:, None, None] * np.eye(size)
        solved = np.linalg.solve(normal, np.swapaxes(self._products, -1, -2))
        change = self._bands.spread(np.swapaxes(solved, -1, -2))
        first, *rest = np.split(change, size // self._bands.components, axis=-1)
        return state + first, weights + np.stack(rest)


def analytic_weights(
    sde: LinearSDE, start: float, end: float, told: np.ndarray, outputs: int
) -> np.ndarray:
    """The weights of gDDIM of order 2 for a step, zero for older outputs.

    Args:
      sde: the diffusion.
      start: the time of the state.
      end: the time of the result.
      told: the times of the outputs so far, oldest first.
      outputs: how many weights.

    Returns:
      `[outputs, *modes, k, k]`.
    """
    nodes = told[::-1][: min(_PRIOR_ORDER + 1, outputs)]
    weights = exponential_weights(sde, start, end, nodes, _PRIOR_VARIABLE)
    padding = np.zeros((outputs - len(weights), *weights.shape[1:]))
    return np.concatenate([weights, padding])
