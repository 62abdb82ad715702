"""The base of the variance preserving diffusions."""

from __future__ import annotations

import abc

import numpy as np

from gddim_tf.sdes.scalar import ScalarSDE
from gddim_tf.sdes.times import Times


class VariancePreserving(ScalarSDE):
    """`u_t = sqrt(a_t) u_0 + sqrt(1 - a_t) z`, where `a` is DDPM's alpha-bar."""

    @abc.abstractmethod
    def log_alpha(self, t: Times) -> np.ndarray:
        """`log a(t)`, `[*times]`."""

    @abc.abstractmethod
    def log_alpha_rate(self, t: Times) -> np.ndarray:
        """`d log a / dt`, `[*times]`."""

    def log_signal(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.log_signal`."""
        return 0.5 * self.log_alpha(t)

    def variance(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.variance`."""
        return -np.expm1(self.log_alpha(t))

    def log_signal_rate(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.log_signal_rate`."""
        return 0.5 * self.log_alpha_rate(t)

    def variance_rate(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.variance_rate`."""
        return -np.exp(self.log_alpha(t)) * self.log_alpha_rate(t)

    def prior_scale(self) -> np.ndarray:
        """A standard normal, as every published sampler starts from."""
        return np.eye(1)
