"""Diffusions with one component: `u_t = m(t) u_0 + sigma(t) z`, per frequency if need be."""

from __future__ import annotations

import abc

import numpy as np

from gddim_tf.sdes.base import LinearSDE
from gddim_tf.sdes.times import Times


def as_matrix(values: np.ndarray) -> np.ndarray:
    """Numbers as 1 x 1 matrices."""
    return np.asarray(values, np.float64)[..., None, None]


class ScalarSDE(LinearSDE):
    """Base of the diffusions with k = 1, where every matrix is a number and `R = L = sigma`.

    With the logarithm of the signal `log m` and the variance `sigma^2`:
    `Psi(t, s) = m_t / m_s`, `F = d log m / dt`, `G^2 = d sigma^2 / dt - 2 F sigma^2` and
    `Psi_hat = Psi (rho_t / rho_s)^(1 + lambda^2)` where `rho = sigma / m`.
    A subclass gives `log_signal`, `variance` and their derivatives.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> sde = VPSDE()
      >>> bool(np.isclose(sde.variance(0.3), sde.covariance(0.3).item()))
      True
    """

    @abc.abstractmethod
    def log_signal(self, t: Times) -> np.ndarray:
        """`log m(t)`, `[*times, *modes]`."""

    @abc.abstractmethod
    def variance(self, t: Times) -> np.ndarray:
        """`sigma(t)^2`, `[*times, *modes]`."""

    @abc.abstractmethod
    def log_signal_rate(self, t: Times) -> np.ndarray:
        """`F = d log m / dt`, `[*times, *modes]`."""

    @abc.abstractmethod
    def variance_rate(self, t: Times) -> np.ndarray:
        """`d sigma^2 / dt`, `[*times, *modes]`."""

    def transition(self, t: Times, s: Times) -> np.ndarray:
        """See `LinearSDE.transition`."""
        return as_matrix(np.exp(self.log_signal(t) - self.log_signal(s)))

    def covariance(self, t: Times) -> np.ndarray:
        """See `LinearSDE.covariance`."""
        return as_matrix(self.variance(t))

    def root(self, t: Times) -> np.ndarray:
        """See `LinearSDE.root`."""
        return as_matrix(np.sqrt(self.variance(t)))

    def cholesky(self, t: Times) -> np.ndarray:
        """See `LinearSDE.cholesky`; the same as the root."""
        return self.root(t)

    def drift(self, t: Times) -> np.ndarray:
        """See `LinearSDE.drift`."""
        return as_matrix(self.log_signal_rate(t))

    def diffusion(self, t: Times) -> np.ndarray:
        """See `LinearSDE.diffusion`."""
        squared = self.variance_rate(t) - 2 * self.log_signal_rate(t) * self.variance(t)
        return as_matrix(np.sqrt(np.maximum(squared, 0.0)))

    def reverse_transition(self, t: Times, s: Times, lam: float) -> np.ndarray:
        """See `LinearSDE.reverse_transition`; closed form for every lambda."""
        t, s = np.asarray(t, np.float64), np.asarray(s, np.float64)
        log_ratio = self.log_signal(t) - self.log_signal(s)
        sigma_ratio = np.sqrt(self.variance(t) / self.variance(s))
        return as_matrix(np.exp(-(lam**2) * log_ratio) * sigma_ratio ** (1 + lam**2))
