"""Critically damped Langevin diffusion: images with velocities."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.checks import not_negative, positive
from gddim_tf.numerics.quadrature import legendre
from gddim_tf.sdes.base import LinearSDE
from gddim_tf.sdes.times import Times, check_times

# The root turns fast near t = 0, on the scale where the initial noise is overtaken; panels evenly
# spaced in log t see every scale.
_PANELS, _NODES, _FIRST = 80, 16, 1e-14


@keras.saving.register_keras_serializable(package="gddim_tf")
class CLD(LinearSDE):
    """Position x and velocity v per pixel, at critical damping, `Gamma = 2 sqrt(M)`.

    `F = beta [[0, 1/M], [-1, -Gamma/M]]`, `G G^T = diag(0, 2 Gamma beta)`,
    `beta(t) = beta_0 + beta_1 t`. With `b = int_s^t beta` and `a = M^(-1/2)`:
    `Psi = exp(-a b) [[1 + a b, a^2 b], [-b, 1 - a b]]` and
    `Sigma_t = diag(1, M) + Psi(t, 0) (Sigma_0 - diag(1, M)) Psi(t, 0)^T`, because `diag(1, M)` is
    stationary. The root is `R = L [[cos phi, sin phi], [-sin phi, cos phi]]` with
    `d phi / dt = beta / M L_vv / L_xx`. Training is by hybrid score matching: the velocity of a
    clean image has mean 0 and variance `gamma M`.
    CLD-SGM (Dockhorn et al., 2022), eq. 5; gDDIM (Zhang et al., 2023), section 4.

    Args:
      beta_0: rate at t = 0.
      beta_1: slope of the rate.
      mass: M.
      gamma: variance of the initial velocity over the mass.
      initial_eps: variance added to both components at t = 0. The root depends on it at every
        time, so a trained network is tied to its value; gDDIM uses 1e-6.
      t_min: where sampling ends.
      t_max: where sampling starts.
      time_scale: what the network is told, as a multiple of t: 999 in gDDIM, 1 in CLD-SGM.

    Raises:
      ValueError: if a constant is not positive (beta_1, gamma and initial_eps may be 0, but not
        the last two at once).

    Examples:
      >>> CLD().transition(0.5, 0.0).shape  # position and velocity
      (2, 2)
    """

    components = 2

    def __init__(
        self,
        beta_0: float = 4.0,
        beta_1: float = 0.0,
        mass: float = 0.25,
        gamma: float = 0.04,
        initial_eps: float = 1e-6,
        t_min: float = 1e-3,
        t_max: float = 1.0,
        time_scale: float = 999.0,
    ) -> None:
        positive(beta_0=beta_0, mass=mass, time_scale=time_scale)
        not_negative(beta_1=beta_1, gamma=gamma, initial_eps=initial_eps)
        if gamma == 0 and initial_eps == 0:
            raise ValueError(
                "`gamma` and `initial_eps` must not both be 0, because the root has no limit at "
                "t = 0 then, received 0 and 0"
            )
        self.beta_0, self.beta_1, self.mass = float(beta_0), float(beta_1), float(mass)
        self.gamma, self.initial_eps = float(gamma), float(initial_eps)
        self.t_min, self.t_max = check_times(t_min, t_max)
        self.time_scale = float(time_scale)

    def _beta(self, t: np.ndarray) -> np.ndarray:
        return self.beta_0 + self.beta_1 * t

    def _integral(self, t: np.ndarray) -> np.ndarray:
        return self.beta_0 * t + 0.5 * self.beta_1 * t**2

    def transition(self, t: Times, s: Times) -> np.ndarray:
        """See `LinearSDE.transition`."""
        t, s = np.asarray(t, np.float64), np.asarray(s, np.float64)
        a = self.mass**-0.5
        b = (t - s) * (self.beta_0 + 0.5 * self.beta_1 * (t + s))
        matrix = [[1 + a * b, a * a * b], [-b, 1 - a * b]]
        return np.exp(-a * b)[..., None, None] * _matrix(matrix)

    def covariance(self, t: Times) -> np.ndarray:
        """See `LinearSDE.covariance`."""
        xx, xv, vv, _ = self._covariance_entries(np.asarray(t, np.float64))
        return _matrix([[xx, xv], [xv, vv]])

    def _covariance_entries(self, t: np.ndarray) -> tuple[np.ndarray, ...]:
        """The xx, xv and vv entries of the covariance, and its determinant, without cancellation.

        The initial part is `Psi diag(e, gamma M + e) Psi^T`, the noise part `diag(1, M) - Psi
        diag(1, M) Psi^T`. Near t = 0 the xx entry of the second, `1 - exp(-x) (1 + x + x^2 / 2)`
        with `x = 2 a b`, would cancel, and the determinant of the sum too.
        """
        a = self.mass**-0.5
        b = self._integral(t)
        decay = np.exp(-2 * a * b)
        position, velocity = self.initial_eps, self.gamma * self.mass + self.initial_eps
        xx = decay * ((1 + a * b) ** 2 * position + (a * a * b) ** 2 * velocity)
        xv = decay * (-b * (1 + a * b) * position + a * a * b * (1 - a * b) * velocity)
        vv = decay * (b**2 * position + (1 - a * b) ** 2 * velocity)
        noise_xx = _third_order_remainder(2 * a * b)
        noise_xv = decay * 2 * a * b * b
        noise_vv = self.mass * (-np.expm1(-2 * a * b) + decay * 2 * a * b * (1 - a * b))
        determinant = (
            decay**2 * position * velocity
            + (xx * noise_vv + vv * noise_xx - 2 * xv * noise_xv)
            + (noise_xx * noise_vv - noise_xv**2)
        )
        return xx + noise_xx, xv + noise_xv, vv + noise_vv, determinant

    def cholesky(self, t: Times) -> np.ndarray:
        """See `LinearSDE.cholesky`; in closed form, valid to t = 0."""
        xx, xv, vv, determinant = self._covariance_entries(np.asarray(t, np.float64))
        l_xx = np.sqrt(xx)
        l_vx = np.divide(xv, l_xx, out=np.zeros_like(xv), where=xx > 0)
        l_vv = np.sqrt(np.divide(determinant, xx, out=np.array(vv), where=xx > 0))
        return _matrix([[l_xx, np.zeros_like(xx)], [l_vx, l_vv]])

    def root(self, t: Times) -> np.ndarray:
        """See `LinearSDE.root`."""
        phi = self._angle(np.asarray(t, np.float64))
        turn = _matrix([[np.cos(phi), np.sin(phi)], [-np.sin(phi), np.cos(phi)]])
        return self.cholesky(t) @ turn

    def drift(self, t: Times) -> np.ndarray:
        """See `LinearSDE.drift`."""
        beta = self._beta(np.asarray(t, np.float64))
        return beta[..., None, None] * np.array(
            [[0.0, 1 / self.mass], [-1.0, -2 * self.mass**-0.5]]
        )

    def diffusion(self, t: Times) -> np.ndarray:
        """See `LinearSDE.diffusion`."""
        noise = np.sqrt(4 * self.mass**0.5 * self._beta(np.asarray(t, np.float64)))
        return noise[..., None, None] * np.diag([0.0, 1.0])

    def rho(self, t: Times) -> np.ndarray:
        """See `LinearSDE.rho`."""
        t = np.asarray(t, np.float64)
        a, b = self.mass**-0.5, self._integral(t)
        return np.sqrt(self._covariance_entries(t)[0]) * np.exp(a * b) / (1 + a * b)

    def time_label(self, t: tf.Tensor) -> tf.Tensor:
        """`time_scale` times t."""
        return self.time_scale * t

    def prior_scale(self) -> np.ndarray:
        """The root of the stationary covariance, `diag(1, sqrt(M))`."""
        return np.diag([1.0, self.mass**0.5])

    # ---- the angle of the root ------------------------------------------------------------------

    def _angle_rate(self, t: np.ndarray) -> np.ndarray:
        xx, _, _, determinant = self._covariance_entries(t)
        ratio = np.divide(np.sqrt(determinant), xx, out=np.zeros_like(xx), where=xx > 0)
        return self._beta(t) / self.mass * ratio

    @functools.cached_property
    def _angle_panels(self) -> tuple[np.ndarray, np.ndarray]:
        edges = np.concatenate([[0.0], np.geomspace(_FIRST, 1.0, _PANELS)]) * self.t_max
        steps = self._angle_between(edges[:-1], edges[1:])
        return edges, np.concatenate([[0.0], np.cumsum(steps)])

    def _angle_between(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        # in the square root of the distance, where the rate is smooth even if it starts singular
        x, w, _ = legendre(_NODES)
        part = 0.5 * (x + 1)
        width = (end - start)[..., None]
        rate = self._angle_rate(start[..., None] + width * part**2)
        return (width * part * w * rate).sum(-1)

    def _angle(self, t: np.ndarray) -> np.ndarray:
        edges, angles = self._angle_panels
        panel = np.clip(np.searchsorted(edges, t, side="right") - 1, 0, len(edges) - 2)
        return angles[panel] + self._angle_between(edges[panel], t)

    def get_config(self) -> dict[str, Any]:
        """See `LinearSDE.get_config`."""
        return super().get_config()


def _matrix(rows: list[list[np.ndarray]]) -> np.ndarray:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _third_order_remainder(x: np.ndarray) -> np.ndarray:
    """`1 - exp(-x) (1 + x + x^2 / 2)`, by its series where the difference would cancel."""
    small = np.minimum(x, 1.0)
    term = series = small**3 / 6
    for n in range(4, 24):  # sum_{n >= 3} x^n / n!, times exp(-x)
        term = term * small / n
        series = series + term
    direct = 1 - np.exp(-x) * (1 + x + 0.5 * x * x)
    return np.where(x < 1, np.exp(-small) * series, direct)
