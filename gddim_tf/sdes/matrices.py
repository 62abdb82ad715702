"""What defines a linear diffusion: its transition, covariance and root, in float64 NumPy."""

from __future__ import annotations

import abc

import numpy as np

from gddim_tf.numerics.bisection import inverse_of_increasing
from gddim_tf.numerics.linalg import transpose
from gddim_tf.numerics.quadrature import NODES, interval_times, solve_linear_ode
from gddim_tf.sdes.times import Times


class DiffusionMatrices(abc.ABC):
    """The mathematics of `LinearSDE`: matrices `[*times, *modes, k, k]` at times of any shape.

    Attributes:
      components: `k`, the number of state components per pixel.
      modes: shape of the axes between times and the `k x k` matrices.
      t_max: the time at which sampling starts (noise).

    Examples:
      >>> from gddim_tf.sdes import CLD
      >>> CLD().transition(np.array([0.2, 0.4, 0.8]), 0.0).shape
      (3, 2, 2)
    """

    components: int = 1
    modes: tuple[int, ...] = ()
    t_max: float = 1.0

    @abc.abstractmethod
    def transition(self, t: Times, s: Times) -> np.ndarray:
        """`Psi(t, s)`, which solves `d Psi / dt = F(t) Psi`, `Psi(s, s) = I`.

        Args:
          t: times of arrival, any shape that broadcasts with `s`.
          s: times of departure.

        Returns:
          `[*times, *modes, k, k]`, float64.
        """

    @abc.abstractmethod
    def covariance(self, t: Times) -> np.ndarray:
        """`Sigma(t)`, the covariance of the state given the data, `[*times, *modes, k, k]`."""

    @abc.abstractmethod
    def root(self, t: Times) -> np.ndarray:
        """`R(t)` of gDDIM: `R R^T = Sigma` and `dR/dt = (F + 1/2 G G^T Sigma^{-1}) R` (eq. 17)."""

    @abc.abstractmethod
    def drift(self, t: Times) -> np.ndarray:
        """`F(t)`, `[*times, *modes, k, k]`."""

    @abc.abstractmethod
    def diffusion(self, t: Times) -> np.ndarray:
        """`G(t)`, `[*times, *modes, k, k]`."""

    def cholesky(self, t: Times) -> np.ndarray:
        """`L(t)`, the lower Cholesky factor of `Sigma(t)`, `[*times, *modes, k, k]`."""
        return np.linalg.cholesky(self.covariance(t))

    def rho(self, t: Times) -> np.ndarray:
        """Noise over signal of the image component at the first mode, `[*times]`, increasing in t.

        `rho = sqrt(Sigma_xx) / Psi_xx(t, 0)`; for the scalar diffusions this is DEIS's rho.
        """
        first = (..., *(0,) * (len(self.modes) + 2))
        t = np.asarray(t, np.float64)
        signal = self.transition(t, np.zeros_like(t))[first]
        with np.errstate(divide="ignore"):
            return np.sqrt(self.covariance(t)[first]) / signal

    def time_of_rho(self, rho: Times) -> np.ndarray:
        """The inverse of `rho` on [0, t_max], by bisection in log t, `[*times]`."""
        return inverse_of_increasing(self.rho, rho, self.t_max)

    def reverse_transition(self, t: Times, s: Times, lam: float) -> np.ndarray:
        """`Psi_hat(t, s)`, the transition of `F + (1 + lambda^2) / 2 G G^T Sigma^{-1}`.

        With `Psi_hat = R_t X R_s^{-1}` the equation becomes `dX/dt = lambda^2 / 2 A X` with the
        symmetric `A = R^{-1} G G^T R^{-T}`: nothing at `lambda = 0`, smooth otherwise. At
        `lambda = 1` the solution is `Sigma_t Psi(s, t)^T Sigma_s^{-1}`. gDDIM, section 4.2.

        Args:
          t: times of arrival `[n]`.
          s: times of departure `[n]`.
          lam: the stochasticity, in [0, 1].

        Returns:
          `[n, *modes, k, k]`.
        """
        t, s = np.asarray(t, np.float64), np.asarray(s, np.float64)
        root_t, root_s = self.root(t), self.root(s)
        if lam == 0:
            return root_t @ np.linalg.inv(root_s)
        if lam == 1:
            back = transpose(self.transition(s, t))
            return self.covariance(t) @ back @ np.linalg.inv(self.covariance(s))

        def generator(tau: np.ndarray) -> np.ndarray:
            half = np.linalg.solve(self.root(tau), self.diffusion(tau))
            return 0.5 * lam**2 * half @ transpose(half)

        return root_t @ solve_linear_ode(generator, s, t) @ np.linalg.inv(root_s)

    def quadrature_times(self, start: Times, end: Times, nodes: int = NODES) -> np.ndarray:
        """Gauss-Legendre nodes between times, in a variable in which Psi and R are smooth.

        Args:
          start: times of any shape.
          end: of the same shape.
          nodes: how many.

        Returns:
          `[*times, nodes]`.
        """
        return interval_times(start, end, nodes)
