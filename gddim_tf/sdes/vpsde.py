"""Variance preserving diffusions: DDPM in continuous time, the cosine schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from gddim_tf.checks import finite, not_negative
from gddim_tf.sdes.discrete import DiscreteVPSDE
from gddim_tf.sdes.times import Times, check_times
from gddim_tf.sdes.variance_preserving import VariancePreserving


@keras.saving.register_keras_serializable(package="gddim_tf")
class VPSDE(VariancePreserving):
    """`du = -1/2 beta(t) u dt + sqrt(beta(t)) dw`, DDPM in continuous time.

    `beta(t) = beta_min + t (beta_max - beta_min)` and
    `log a(t) = -beta_min t - (beta_max - beta_min) t^2 / 2`. Score-SDE (Song et al., 2021), eq. 32.
    With zero terminal SNR `sqrt(a)` is shifted and scaled to go from 1 to 0, `(sqrt(a(t)) -
    sqrt(a(t_max))) / (1 - sqrt(a(t_max)))`, and `signal_free` is true (Lin et al., 2024, alg. 1).

    Args:
      beta_min: beta at t = 0.
      beta_max: beta at t = 1.
      t_min: where sampling ends.
      t_max: where sampling starts.
      zero_snr: whether nothing of the data is left at t_max.

    Raises:
      ValueError: if the betas are not `0 <= beta_min <= beta_max`, or the times not increasing.

    Examples:
      >>> VPSDE().root(1.0).round(4)  # nothing but noise at the end
      array([[1.]])
    """

    def __init__(
        self,
        beta_min: float = 0.1,
        beta_max: float = 20.0,
        t_min: float = 1e-3,
        t_max: float = 1.0,
        zero_snr: bool = False,
    ) -> None:
        finite(beta_min=beta_min, beta_max=beta_max)
        if not 0 <= beta_min <= beta_max or beta_max == 0:
            raise ValueError(
                "`beta_min` and `beta_max` must satisfy 0 <= beta_min <= beta_max, "
                f"received {beta_min} and {beta_max}"
            )
        self.beta_min, self.beta_max = float(beta_min), float(beta_max)
        self.t_min, self.t_max = check_times(t_min, t_max)
        self.signal_free = bool(zero_snr)

    @staticmethod
    def from_betas(betas: Sequence[float] | np.ndarray) -> DiscreteVPSDE:
        """The diffusion of a discrete DDPM schedule; see `DiscreteVPSDE`."""
        return DiscreteVPSDE(betas)

    def log_alpha(self, t: Times) -> np.ndarray:
        """`log a(t)`, `[*times]`."""
        if not self.signal_free:
            return self._log_alpha(t)
        with np.errstate(divide="ignore"):
            return 2 * np.log1p(-self._lost(t) / self._lost(self.t_max))

    def _log_alpha(self, t: Times) -> np.ndarray:
        t = np.asarray(t, np.float64)
        return -self.beta_min * t - 0.5 * (self.beta_max - self.beta_min) * t**2

    def _lost(self, t: Times) -> np.ndarray:
        """`1 - sqrt(a)` before it is scaled."""
        return -np.expm1(0.5 * self._log_alpha(t))

    def log_alpha_rate(self, t: Times) -> np.ndarray:
        """`-beta(t)`, or what scaling makes of it, `[*times]`."""
        t = np.asarray(t, np.float64)
        rate = -(self.beta_min + t * (self.beta_max - self.beta_min))
        if not self.signal_free:
            return rate
        lost = self._lost(t)
        with np.errstate(divide="ignore"):
            return rate * (1 - lost) / (self._lost(self.t_max) - lost)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "beta_min": self.beta_min,
            "beta_max": self.beta_max,
            "t_min": self.t_min,
            "t_max": self.t_max,
            "zero_snr": self.signal_free,
        }


@keras.saving.register_keras_serializable(package="gddim_tf")
class CosineVPSDE(VariancePreserving):
    """The cosine schedule: `a(t) = f(t) / f(0)`, `f(t) = cos^2(pi/2 (t + offset) / (1 + offset))`.

    Improved DDPM (Nichol and Dhariwal, 2021), eq. 17. The signal vanishes at t = 1, so sampling
    starts before it.

    Args:
      offset: shifts the schedule so that little noise is not added too slowly.
      t_min: where sampling ends.
      t_max: where sampling starts, below 1.

    Raises:
      ValueError: if `t_max` is not below 1 or `offset` is negative.

    Examples:
      >>> bool(CosineVPSDE().rho(0.5) < VPSDE().rho(0.5))  # less noise in the middle
      True
    """

    def __init__(self, offset: float = 0.008, t_min: float = 1e-3, t_max: float = 0.9946) -> None:
        not_negative(offset=offset)
        finite(t_max=t_max)
        if t_max >= 1:
            raise ValueError(f"`t_max` must be below 1 for the cosine schedule, received {t_max}")
        self.offset = float(offset)
        self.t_min, self.t_max = check_times(t_min, t_max)

    def _angle(self, t: Times) -> np.ndarray:
        return 0.5 * np.pi * (np.asarray(t, np.float64) + self.offset) / (1 + self.offset)

    def log_alpha(self, t: Times) -> np.ndarray:
        """`log a(t)`, `[*times]`."""
        # cos A / cos B - 1 = -2 sin((A + B) / 2) sin((A - B) / 2) / cos B, exact where A is near B
        start = self._angle(0.0)
        moved = 0.5 * np.pi * np.asarray(t, np.float64) / (1 + self.offset)
        drop = 2 * np.sin(start + 0.5 * moved) * np.sin(0.5 * moved) / np.cos(start)
        return 2 * np.log1p(-drop)

    def log_alpha_rate(self, t: Times) -> np.ndarray:
        """`d log a / dt`, `[*times]`."""
        return -np.pi / (1 + self.offset) * np.tan(self._angle(t))

    def get_config(self) -> dict[str, Any]:
        """See `LinearSDE.get_config`."""
        return super().get_config()
