"""Rectified flow: the straight line between data and noise, as a linear diffusion."""

from __future__ import annotations

from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.checks import finite, positive
from gddim_tf.sdes.scalar import ScalarSDE
from gddim_tf.sdes.times import Times, check_times

_Time = TypeVar("_Time", np.ndarray, tf.Tensor)


@keras.saving.register_keras_serializable(package="gddim_tf")
class RectifiedFlow(ScalarSDE):
    """`u_t = (1 - sigma) u_0 + sigma z`, `sigma = s t / (1 + (s - 1) t)` with the shift s.

    At t = 1 nothing is left of the data, see `LinearSDE.signal_free`. Its probability flow is the
    flow of flow matching, whose networks predict `z - u_0` (prediction "flow"); the diffusion
    around it has `F = -sigma' / (1 - sigma)` and `G^2 = 2 sigma sigma' / (1 - sigma)`.
    Rectified flow (Liu et al., 2023); the shift is that of Stable Diffusion 3 (Esser et al., 2024),
    eq. 23.

    Args:
      shift: s, positive; larger than 1 to spend more time in the noise, for large images.
      t_min: where sampling ends; 0 ends at the data exactly.
      t_earliest: the earliest time at which the network may be asked, from which one step leads to
        the end; 0 for any.
      time_scale: what the network is told, as a multiple of sigma: 1000 in diffusers.

    Raises:
      ValueError: if the shift is not positive or a time not in [0, 1).

    Examples:
      >>> RectifiedFlow().root(0.25)
      array([[0.25]])
    """

    signal_free = True

    def __init__(
        self,
        shift: float = 1.0,
        t_min: float = 1e-3,
        t_earliest: float = 0.0,
        time_scale: float = 1000.0,
    ) -> None:
        positive(shift=shift, time_scale=time_scale)
        finite(t_earliest=t_earliest)
        if not 0 <= t_earliest < 1:
            raise ValueError(f"`t_earliest` must be in [0, 1), received {t_earliest}")
        self.shift, self.time_scale = float(shift), float(time_scale)
        self.t_earliest = float(t_earliest)
        self.t_min, self.t_max = check_times(t_min, 1.0)

    def _sigma(self, t: _Time) -> _Time:
        return self.shift * t / (1 + (self.shift - 1) * t)

    def _sigma_rate(self, t: np.ndarray) -> np.ndarray:
        return self.shift / (1 + (self.shift - 1) * t) ** 2

    def log_signal(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.log_signal`; `1 - sigma = (1 - t) / (1 + (s - 1) t)`."""
        t = np.asarray(t, np.float64)
        with np.errstate(divide="ignore"):
            return np.log1p(-t) - np.log1p((self.shift - 1) * t)

    def variance(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.variance`."""
        return self._sigma(np.asarray(t, np.float64)) ** 2

    def log_signal_rate(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.log_signal_rate`."""
        t = np.asarray(t, np.float64)
        with np.errstate(divide="ignore"):
            return -1 / (1 - t) - (self.shift - 1) / (1 + (self.shift - 1) * t)

    def variance_rate(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.variance_rate`."""
        t = np.asarray(t, np.float64)
        return 2 * self._sigma(t) * self._sigma_rate(t)

    def rho(self, t: Times) -> np.ndarray:
        """`sigma / (1 - sigma) = s t / (1 - t)`, `[*times]`."""
        t = np.asarray(t, np.float64)
        with np.errstate(divide="ignore"):
            return self.shift * t / (1 - t)

    def time_of_rho(self, rho: Times) -> np.ndarray:
        """The inverse of `rho`, `[*times]`."""
        with np.errstate(divide="ignore"):
            return 1 / (1 + self.shift / np.asarray(rho, np.float64))

    def prior_scale(self) -> np.ndarray:
        """A standard normal."""
        return np.eye(1)

    def time_label(self, t: tf.Tensor) -> tf.Tensor:
        """`time_scale` times sigma, the noise level."""
        return self.time_scale * self._sigma(t)

    def get_config(self) -> dict[str, Any]:
        """See `LinearSDE.get_config`."""
        return super().get_config()
