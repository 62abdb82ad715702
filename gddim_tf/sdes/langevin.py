"""Critically damped Langevin diffusions with constant matrices, of any order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gddim_tf.checks import not_negative, positive
from gddim_tf.numerics.linalg import transpose
from gddim_tf.numerics.quadrature import legendre
from gddim_tf.sdes.base import LinearSDE
from gddim_tf.sdes.numerical import NumericalSDE
from gddim_tf.sdes.times import Times


class CriticallyDamped(NumericalSDE):
    """`F = A` with a single eigenvalue `-c`, constant noise, a diagonal stationary covariance.

    `A = -c I + N` with `N^k = 0`, so that `Psi(t, s) = exp(-c b) sum_{j < k} (b N)^j / j!` with
    `b = t - s`. `Sigma_t = Psi_t Sigma_0 Psi_t^T + int_0^t Psi_s G G^T Psi_s^T ds`, the integral by
    Gauss-Legendre quadrature, which adds up positive parts and so loses nothing near t = 0. The
    rotation of the root is that of `NumericalSDE`.

    Args:
      beta: the rate.
      drift: A at the rate 1, `[k, k]`.
      noise: the diagonal of `G G^T` at the rate 1, `[k]`.
      stationary: the diagonal of the stationary covariance, `[k]`.
      gamma: variance of the initial components after the first, over the stationary one.
      initial_eps: variance added to all components at t = 0, see `CLD`.
      t_min: where sampling ends.
      t_max: where sampling starts.

    Raises:
      ValueError: if `beta` or `initial_eps` is not positive, or `gamma` below 0.
    """

    def __init__(
        self,
        beta: float,
        drift: np.ndarray,
        noise: np.ndarray,
        stationary: np.ndarray,
        gamma: float,
        initial_eps: float,
        t_min: float,
        t_max: float,
    ) -> None:
        positive(beta=beta, initial_eps=initial_eps)
        not_negative(gamma=gamma)
        self.beta, self.gamma, self.initial_eps = float(beta), float(gamma), float(initial_eps)
        drift, root = beta * drift, np.diag(np.sqrt(beta * noise))
        initial = gamma * stationary
        initial[0] = 0.0
        prior = np.diag(np.sqrt(stationary))
        start = np.diag(initial + initial_eps)
        super().__init__(drift, root, start, t_min, t_max, prior_scale=prior)
        k = len(drift)
        self._damping = -np.trace(drift) / k
        nilpotent = drift + self._damping * np.eye(k)
        self._powers = np.stack(
            [np.linalg.matrix_power(nilpotent, j) / math.factorial(j) for j in range(k)]
        )

    def transition(self, t: Times, s: Times) -> np.ndarray:
        """See `LinearSDE.transition`."""
        return self._after(np.asarray(t, np.float64) - np.asarray(s, np.float64))

    def _after(self, elapsed: np.ndarray) -> np.ndarray:
        powers = elapsed[..., None] ** np.arange(self.components)
        decay = np.exp(-self._damping * elapsed)[..., None, None]
        return decay * np.tensordot(powers, self._powers, axes=(-1, 0))

    def covariance(self, t: Times) -> np.ndarray:
        """See `LinearSDE.covariance`."""
        t = np.asarray(t, np.float64)
        x, w, _ = legendre()
        half = self._after(t[..., None] * 0.5 * (x + 1)) @ self._diffusion
        noise = np.einsum("n,...nij,...nkj->...ik", 0.5 * w, half, half)
        moved = self._after(t)
        start = moved @ self._initial_covariance @ transpose(moved)
        return start + t[..., None, None] * noise

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, and not the matrices that follow from them."""
        return LinearSDE.get_config(self)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"
