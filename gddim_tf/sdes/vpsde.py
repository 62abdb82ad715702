"""Variance preserving diffusions: DDPM in continuous time, the cosine schedule, discrete tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.numerics.quadrature import legendre
from gddim_tf.sdes.scalar import ScalarSDE
from gddim_tf.sdes.times import check_times


class _VariancePreserving(ScalarSDE):
    """`u_t = sqrt(a_t) u_0 + sqrt(1 - a_t) z`, where `a` is DDPM's alpha-bar."""

    def log_alpha(self, t: np.ndarray) -> np.ndarray:
        """`log a(t)`, `[*times]`."""
        raise TypeError(f"{type(self).__name__} must define `log_alpha`")

    def log_alpha_rate(self, t: np.ndarray) -> np.ndarray:
        """`d log a / dt`, `[*times]`."""
        raise TypeError(f"{type(self).__name__} must define `log_alpha_rate`")

    def log_signal(self, t: np.ndarray) -> np.ndarray:
        """See `ScalarSDE.log_signal`."""
        return 0.5 * self.log_alpha(t)

    def variance(self, t: np.ndarray) -> np.ndarray:
        """See `ScalarSDE.variance`."""
        return -np.expm1(self.log_alpha(t))

    def log_signal_rate(self, t: np.ndarray) -> np.ndarray:
        """See `ScalarSDE.log_signal_rate`."""
        return 0.5 * self.log_alpha_rate(t)

    def variance_rate(self, t: np.ndarray) -> np.ndarray:
        """See `ScalarSDE.variance_rate`."""
        return -np.exp(self.log_alpha(t)) * self.log_alpha_rate(t)

    def prior_scale(self) -> np.ndarray:
        """A standard normal, as every published sampler starts from."""
        return np.eye(1)


@keras.saving.register_keras_serializable(package="gddim_tf")
class VPSDE(_VariancePreserving):
    """`du = -1/2 beta(t) u dt + sqrt(beta(t)) dw`, DDPM in continuous time.

    `beta(t) = beta_min + t (beta_max - beta_min)` and
    `log a(t) = -beta_min t - (beta_max - beta_min) t^2 / 2`. Score-SDE (Song et al., 2021), eq. 32.

    Args:
      beta_min: beta at t = 0.
      beta_max: beta at t = 1.
      t_min: where sampling ends.
      t_max: where sampling starts.

    Raises:
      ValueError: if the betas are not `0 <= beta_min <= beta_max`, or the times not increasing.
    """

    def __init__(
        self,
        beta_min: float = 0.1,
        beta_max: float = 20.0,
        t_min: float = 1e-3,
        t_max: float = 1.0,
    ) -> None:
        if not 0 <= beta_min <= beta_max or beta_max == 0:
            raise ValueError(
                "`beta_min` and `beta_max` must satisfy 0 <= beta_min <= beta_max, "
                f"received {beta_min} and {beta_max}"
            )
        self.beta_min, self.beta_max = float(beta_min), float(beta_max)
        self.t_min, self.t_max = check_times(t_min, t_max)

    @staticmethod
    def from_betas(betas: Sequence[float]) -> DiscreteVPSDE:
        """The diffusion of a discrete DDPM schedule; see `DiscreteVPSDE`."""
        return DiscreteVPSDE(betas)

    def log_alpha(self, t: np.ndarray) -> np.ndarray:
        """`log a(t)`, `[*times]`."""
        t = np.asarray(t, np.float64)
        return -self.beta_min * t - 0.5 * (self.beta_max - self.beta_min) * t**2

    def log_alpha_rate(self, t: np.ndarray) -> np.ndarray:
        """`-beta(t)`, `[*times]`."""
        t = np.asarray(t, np.float64)
        return -(self.beta_min + t * (self.beta_max - self.beta_min))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "beta_min": self.beta_min,
            "beta_max": self.beta_max,
            "t_min": self.t_min,
            "t_max": self.t_max,
        }


@keras.saving.register_keras_serializable(package="gddim_tf")
class CosineVPSDE(_VariancePreserving):
    """The cosine schedule: `a(t) = f(t) / f(0)`, `f(t) = cos^2(pi/2 (t + offset) / (1 + offset))`.

    Improved DDPM (Nichol and Dhariwal, 2021), eq. 17. The signal vanishes at t = 1, so sampling
    starts before it.

    Args:
      offset: shifts the schedule so that little noise is not added too slowly.
      t_min: where sampling ends.
      t_max: where sampling starts, below 1.

    Raises:
      ValueError: if `t_max` is not below 1 or `offset` is negative.
    """

    def __init__(self, offset: float = 0.008, t_min: float = 1e-3, t_max: float = 0.9946) -> None:
        if offset < 0:
            raise ValueError(f"`offset` must be at least 0, received {offset}")
        if t_max >= 1:
            raise ValueError(f"`t_max` must be below 1 for the cosine schedule, received {t_max}")
        self.offset = float(offset)
        self.t_min, self.t_max = check_times(t_min, t_max)

    def _angle(self, t: np.ndarray) -> np.ndarray:
        return 0.5 * np.pi * (np.asarray(t, np.float64) + self.offset) / (1 + self.offset)

    def log_alpha(self, t: np.ndarray) -> np.ndarray:
        """`log a(t)`, `[*times]`."""
        # cos A / cos B - 1 = -2 sin((A + B) / 2) sin((A - B) / 2) / cos B, exact where A is near B
        start = self._angle(0.0)
        moved = 0.5 * np.pi * np.asarray(t, np.float64) / (1 + self.offset)
        drop = 2 * np.sin(start + 0.5 * moved) * np.sin(0.5 * moved) / np.cos(start)
        return 2 * np.log1p(-drop)

    def log_alpha_rate(self, t: np.ndarray) -> np.ndarray:
        """`d log a / dt`, `[*times]`."""
        return -np.pi / (1 + self.offset) * np.tan(self._angle(t))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"offset": self.offset, "t_min": self.t_min, "t_max": self.t_max}


@keras.saving.register_keras_serializable(package="gddim_tf")
class DiscreteVPSDE(_VariancePreserving):
    """A DDPM table of betas as a diffusion in continuous time.

    Time counts training steps: `t = 0` is the data (`a = 1`) and integer `t >= 1` has
    `a(t) = prod_{k < t} (1 - beta_k)`, on which the network was trained with index `t - 1`. In
    between, `s = sqrt((1 - a) / a)` is interpolated linearly. No network is asked before t = 1,
    which is its label 0: sampling ends with one step from there to the data.
    DDPM (Ho et al., 2020), eq. 4; the interpolation is that of diffusers' sigma schedules.

    Args:
      betas: the table, `[T]`, each in (0, 1).
      t_min: where sampling ends; 0 ends at the data exactly.

    Raises:
      ValueError: if there is no beta, or one is outside (0, 1).
    """

    t_earliest = 1.0

    def __init__(self, betas: Sequence[float], t_min: float = 0.0) -> None:
        self.betas = np.asarray(betas, np.float64)
        if self.betas.ndim != 1 or self.betas.size == 0:
            raise ValueError(
                f"`betas` must be a list of numbers, received an array of shape {self.betas.shape}"
            )
        if not np.all((self.betas > 0) & (self.betas < 1)):
            raise ValueError(
                "`betas` must be in (0, 1), received numbers from "
                f"{self.betas.min()} to {self.betas.max()}"
            )
        alpha = np.cumprod(1 - self.betas)
        self._sigmas = np.concatenate([[0.0], np.sqrt((1 - alpha) / alpha)])
        self.t_min, self.t_max = check_times(t_min, float(len(self.betas)))

    def _sigma(self, t: np.ndarray) -> np.ndarray:
        return np.interp(t, np.arange(len(self._sigmas)), self._sigmas)

    def log_alpha(self, t: np.ndarray) -> np.ndarray:
        """`log a(t)`, `[*times]`."""
        return -np.log1p(self._sigma(t) ** 2)

    def log_alpha_rate(self, t: np.ndarray) -> np.ndarray:
        """`d log a / dt` (from the right at the nodes), `[*times]`."""
        left = np.clip(np.floor(t).astype(int), 0, len(self.betas) - 1)
        sigma = self._sigma(t)
        return -2 * sigma * (self._sigmas[left + 1] - self._sigmas[left]) / (1 + sigma**2)

    def rho(self, t: np.ndarray) -> np.ndarray:
        """`sqrt((1 - a) / a)`, `[*times]`."""
        return self._sigma(t)

    def time_of_rho(self, rho: np.ndarray) -> np.ndarray:
        """The inverse of `rho`, `[*times]`."""
        return np.interp(rho, self._sigmas, np.arange(len(self._sigmas)))

    def quadrature_times(self, start: float, end: float) -> np.ndarray:
        """See `LinearSDE.quadrature_times`; in rho, because the table has kinks in time."""
        x, _, _ = legendre()
        low, high = self.rho(start), self.rho(end)
        return self.time_of_rho(low + (high - low) * 0.5 * (x + 1))

    def kernel(self, t: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See `LinearSDE.kernel`; from the table itself, which is not smooth in t."""
        left = tf.clip_by_value(tf.cast(tf.floor(t), tf.int32), 0, len(self.betas) - 1)
        sigmas = tf.constant(self._sigmas, t.dtype)
        low, high = tf.gather(sigmas, left), tf.gather(sigmas, left + 1)
        sigma = low + (t - tf.cast(left, t.dtype)) * (high - low)
        signal = tf.math.rsqrt(1 + sigma**2)
        return signal[:, None, None], (sigma * signal)[:, None, None]

    def training_times(self, uniform: Any) -> Any:
        """Whole training steps, `1 + floor(T uniform)`."""
        return 1.0 + tf.floor(uniform * len(self.betas))

    def time_label(self, t: Any) -> Any:
        """The index `t - 1` with which the network was trained."""
        return t - 1.0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"betas": self.betas.tolist(), "t_min": self.t_min}
