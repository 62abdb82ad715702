"""The variance exploding diffusion."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.checks import finite
from gddim_tf.choice import one_of_few
from gddim_tf.sdes.scalar import ScalarSDE
from gddim_tf.sdes.times import Times, check_times


@keras.saving.register_keras_serializable(package="gddim_tf")
class VESDE(ScalarSDE):
    """`u_t = u_0 + sigma(t) z`, `sigma(t) = sigma_min (sigma_max / sigma_min)^t` or `sigma = t`.

    Score-SDE (Song et al., 2021), eq. 30 (geometric), and EDM (Karras et al., 2022), where time is
    the noise level itself (`VESDE.karras`). The marginal here is that of NCSN, `sigma(t)^2`,
    without the constant that the exact integral of the geometric G would subtract.

    Args:
      sigma_min: noise at t = 0 (geometric), or where sampling ends (linear).
      sigma_max: noise at t = 1 (geometric), or where sampling starts (linear).
      schedule: "geometric", or "linear" for `sigma(t) = t`.
      t_min: where sampling ends; 1e-5 (geometric) or `sigma_min` (linear) by default.
      t_max: where sampling starts; 1 (geometric) or `sigma_max` (linear) by default.
      log_normal: None for training times that are uniform, or the mean and the deviation of the
        logarithm of the noise levels on which a linear schedule is trained; (-1.2, 1.2) in EDM.

    Raises:
      ValueError: unless `0 < sigma_min < sigma_max`, `0 <= t_min < t_max`, of a known schedule, and
        `log_normal` goes with it.

    Examples:
      >>> VESDE.karras().root(80.0)  # t is sigma
      array([[80.]])
    """

    def __init__(
        self,
        sigma_min: float = 0.01,
        sigma_max: float = 50.0,
        schedule: str = "geometric",
        t_min: float | None = None,
        t_max: float | None = None,
        log_normal: tuple[float, float] | None = None,
    ) -> None:
        one_of_few("schedule", schedule, "geometric", "linear")
        finite(sigma_min=sigma_min, sigma_max=sigma_max)
        if not 0 < sigma_min < sigma_max:
            raise ValueError(
                "`sigma_min` and `sigma_max` must satisfy 0 < sigma_min < sigma_max, "
                f"received {sigma_min} and {sigma_max}"
            )
        if log_normal is not None and (schedule != "linear" or not log_normal[1] > 0):
            raise ValueError(
                "`log_normal` must be a mean and a positive deviation, of a linear schedule, "
                f"received {log_normal}"
            )
        self.log_normal = None if log_normal is None else tuple(map(float, log_normal))
        self.sigma_min, self.sigma_max = float(sigma_min), float(sigma_max)
        self.schedule = schedule
        first, last = self._usual_times()
        self.t_min, self.t_max = check_times(
            first if t_min is None else t_min, last if t_max is None else t_max
        )

    @classmethod
    def karras(cls, sigma_min: float = 0.002, sigma_max: float = 80.0) -> VESDE:
        """EDM's diffusion, whose time is the noise level."""
        return cls(sigma_min, sigma_max, "linear")

    def _usual_times(self) -> tuple[float, float]:
        linear = self.schedule == "linear"
        return (self.sigma_min, self.sigma_max) if linear else (1e-5, 1.0)

    def _sigma(self, t: Times) -> np.ndarray:
        t = np.asarray(t, np.float64)
        if self.schedule == "linear":
            return t
        return self.sigma_min * (self.sigma_max / self.sigma_min) ** t

    def log_signal(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.log_signal`; the signal is never scaled."""
        return np.zeros(np.shape(t))

    def variance(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.variance`."""
        return self._sigma(t) ** 2

    def log_signal_rate(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.log_signal_rate`."""
        return np.zeros(np.shape(t))

    def variance_rate(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.variance_rate`."""
        if self.schedule == "linear":
            return 2 * np.asarray(t, np.float64)
        return 2 * np.log(self.sigma_max / self.sigma_min) * self.variance(t)

    def training_times(self, uniform: tf.Tensor) -> tf.Tensor:
        """See `LinearSDE.training_times`; log-normal within `[1e-5 t_max, t_max]` if asked for."""
        if self.log_normal is None:
            return super().training_times(uniform)
        mean, deviation = self.log_normal
        levels = tf.exp(mean + deviation * tf.math.ndtri(uniform))
        return tf.clip_by_value(levels, 1e-5 * self.t_max, self.t_max)

    def time_label(self, t: tf.Tensor) -> tf.Tensor:
        """What the published networks are told: sigma (score_sde), or `log(sigma) / 4` (EDM)."""
        if self.schedule == "linear":
            return 0.25 * tf.math.log(t)
        return self.sigma_min * (self.sigma_max / self.sigma_min) ** t

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, and those times that are not the usual ones."""
        times = zip(("t_min", "t_max"), (self.t_min, self.t_max), self._usual_times(), strict=True)
        return {
            "sigma_min": self.sigma_min,
            "sigma_max": self.sigma_max,
            "schedule": self.schedule,
            **{name: own for name, own, usual in times if own != usual},
            **({} if self.log_normal is None else {"log_normal": list(self.log_normal)}),
        }
