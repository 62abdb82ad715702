"""A discrete DDPM schedule as a diffusion in continuous time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.numerics.quadrature import NODES, legendre
from gddim_tf.sdes.times import Times, check_times
from gddim_tf.sdes.variance_preserving import VariancePreserving


def zero_snr_betas(betas: Sequence[float] | np.ndarray) -> np.ndarray:
    """A table with zero terminal SNR: `sqrt(alpha-bar)` shifted to end at 0, its start kept.

    Lin et al. (2024), algorithm 1; diffusers' `rescale_betas_zero_snr`.

    Args:
      betas: `[T]`, each in (0, 1).

    Returns:
      `[T]`, of which the last is 1.
    """
    signal = np.sqrt(np.cumprod(1 - np.asarray(betas, np.float64)))
    signal = (signal - signal[-1]) * signal[0] / (signal[0] - signal[-1])
    alpha = np.concatenate([[1.0], signal]) ** 2
    return 1 - alpha[1:] / alpha[:-1]


@keras.saving.register_keras_serializable(package="gddim_tf")
class DiscreteVPSDE(VariancePreserving):
    """A DDPM table of betas as a diffusion in continuous time.

    Time counts training steps: `t = 0` is the data (`a = 1`) and integer `t >= 1` has
    `a(t) = prod_{k < t} (1 - beta_k)`, on which the network was trained with index `t - 1`. In
    between, `s = sqrt((1 - a) / a)` is interpolated linearly; if the last beta is 1, nothing is
    left at T (`signal_free`), and in the last interval it is the angle `atan s`. No network is
    asked before t = 1, which is its label 0: sampling ends with one step from there to the data.
    DDPM (Ho et al., 2020), eq. 4; the interpolation is that of diffusers' sigma schedules.

    Args:
      betas: the table, `[T]`, each in (0, 1); the last may be 1.
      t_min: where sampling ends; 0 ends at the data exactly.

    Raises:
      ValueError: if there is no beta, or one is outside (0, 1) but for a last 1.

    Examples:
      >>> DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000)).t_max
      1000.0
    """

    t_earliest = 1.0

    def __init__(self, betas: Sequence[float] | np.ndarray, t_min: float = 0.0) -> None:
        self.betas = np.asarray(betas, np.float64)
        if self.betas.ndim != 1 or self.betas.size == 0:
            raise ValueError(
                f"`betas` must be a list of numbers, received an array of shape {self.betas.shape}"
            )
        self.signal_free = bool(len(self.betas) > 1 and self.betas[-1] == 1)
        inner = self.betas[: len(self.betas) - self.signal_free]
        if not np.all((inner > 0) & (inner < 1)):
            raise ValueError(
                "`betas` must be in (0, 1), received numbers from "
                f"{self.betas.min()} to {self.betas.max()}"
            )
        alpha = np.cumprod(1 - self.betas)
        with np.errstate(divide="ignore"):
            self._sigmas = np.concatenate([[0.0], np.sqrt((1 - alpha) / alpha)])
        self.t_min, self.t_max = check_times(t_min, float(len(self.betas)))

    def _sigma(self, t: Times) -> np.ndarray:
        index = np.arange(len(self._sigmas))
        if not self.signal_free:
            return np.asarray(np.interp(t, index, self._sigmas))
        t = np.asarray(t, np.float64)
        before = np.interp(t, index[:-1], self._sigmas[:-1])
        return np.where(t > index[-2], self._last_sigma(t), before)

    def _last_sigma(self, t: np.ndarray) -> np.ndarray:
        """`s` in the last interval, whose end is infinite: `tan` of an angle linear in t."""
        left = np.arctan2(1.0, self._sigmas[-2])
        with np.errstate(divide="ignore"):
            return 1 / np.tan(left * np.clip(len(self.betas) - t, 0.0, 1.0))

    def log_alpha(self, t: Times) -> np.ndarray:
        """`log a(t)`, `[*times]`."""
        return -np.log1p(self._sigma(t) ** 2)

    def log_alpha_rate(self, t: Times) -> np.ndarray:
        """`d log a / dt` (from the right at the nodes), `[*times]`."""
        left = np.clip(np.floor(t).astype(int), 0, len(self.betas) - 1)
        sigma = self._sigma(t)
        with np.errstate(invalid="ignore"):
            rate = self._sigmas[left + 1] - self._sigmas[left]
            slope = -2 * sigma * rate / (1 + sigma**2)
        if not self.signal_free:
            return slope
        angle_rate = np.arctan2(1.0, self._sigmas[-2])
        return np.where(left == len(self.betas) - 1, -2 * sigma * angle_rate, slope)

    def rho(self, t: Times) -> np.ndarray:
        """`sqrt((1 - a) / a)`, `[*times]`."""
        return self._sigma(t)

    def time_of_rho(self, rho: Times) -> np.ndarray:
        """The inverse of `rho`, `[*times]`."""
        index = np.arange(len(self._sigmas))
        if not self.signal_free:
            return np.asarray(np.interp(rho, self._sigmas, index))
        rho = np.asarray(rho, np.float64)
        before = np.interp(rho, self._sigmas[:-1], index[:-1])
        left = np.arctan2(1.0, self._sigmas[-2])
        last = len(self.betas) - np.arctan2(1.0, rho) / left
        return np.where(rho > self._sigmas[-2], last, before)

    def quadrature_times(self, start: Times, end: Times, nodes: int = NODES) -> np.ndarray:
        """See `LinearSDE.quadrature_times`; in rho, because the table has kinks in time."""
        x, _, _ = legendre(nodes)
        low, high = (np.asarray(self.rho(t))[..., None] for t in (start, end))
        if self.signal_free:  # rho may be infinite
            low, high = np.arctan(low), np.arctan(high)
            return self.time_of_rho(np.tan(low + (high - low) * 0.5 * (x + 1)))
        return self.time_of_rho(low + (high - low) * 0.5 * (x + 1))

    def kernel(self, t: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See `LinearSDE.kernel`; from the table itself, which is not smooth in t."""
        left = tf.clip_by_value(tf.cast(tf.floor(t), tf.int32), 0, len(self.betas) - 1)
        sigmas = tf.constant(np.where(np.isinf(self._sigmas), 0.0, self._sigmas), t.dtype)
        low, high = tf.gather(sigmas, left), tf.gather(sigmas, left + 1)
        sigma = low + (t - tf.cast(left, t.dtype)) * (high - low)
        signal = tf.math.rsqrt(1 + sigma**2)
        root = sigma * signal
        if self.signal_free:
            angle = tf.constant(np.arctan2(1.0, self._sigmas[-2]), t.dtype)
            angle *= tf.cast(len(self.betas), t.dtype) - t
            last = left == len(self.betas) - 1
            signal = tf.where(last, tf.sin(angle), signal)
            root = tf.where(last, tf.cos(angle), root)
        return signal[:, None, None], root[:, None, None]

    def training_times(self, uniform: tf.Tensor) -> tf.Tensor:
        """Whole training steps, `1 + floor(T uniform)`."""
        return 1.0 + tf.floor(uniform * len(self.betas))

    def time_label(self, t: tf.Tensor) -> tf.Tensor:
        """The index `t - 1` with which the network was trained."""
        return t - 1.0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"betas": self.betas.tolist(), "t_min": self.t_min}
