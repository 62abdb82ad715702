"""How much of the guidance an evaluation gets, as a function of its noise level."""

from __future__ import annotations

import dataclasses
import math
import numbers
from typing import Protocol

import numpy as np

from gddim_tf.checks import real
from gddim_tf.samplers.strength import noise_fraction
from gddim_tf.sdes import LinearSDE


class Schedule(Protocol):
    """From times to shares."""

    def __call__(self, sde: LinearSDE, times: np.ndarray) -> np.ndarray:
        """The share at each time, 1 for the whole guidance and 0 for none.

        Args:
          sde: the diffusion.
          times: `[rows]`, where the network is evaluated.

        Returns:
          `[rows]`, in [0, 1].
        """
        ...


@dataclasses.dataclass(frozen=True)
class Interval:
    """All of it where `low < rho <= high`, none elsewhere, where evaluations then cost half.

    Guidance harms at high noise levels and is not needed at low ones. Guidance in a limited
    interval (Kynkaanniemi et al., 2024), eq. 6; rho is its sigma, the noise over the signal.

    Args:
      low: of rho, at least 0.
      high: of rho, above `low`; infinity for no bound.

    Raises:
      ValueError: if the bounds are not in this order.
      TypeError: if one is no number.

    Examples:
      >>> from gddim_tf.sdes import VESDE
      >>> Interval(0.2, 2.0)(VESDE.karras(), [80.0, 2.0, 1.0, 0.1])
      array([0., 1., 1., 0.])
    """

    low: float = 0.0
    high: float = math.inf

    def __post_init__(self) -> None:
        real("low", self.low, 0.0)
        if isinstance(self.high, bool) or not isinstance(self.high, numbers.Real):
            raise TypeError(f"`high` must be a number, received {self.high!r}")
        if not self.high > self.low:
            raise ValueError(f"`high` must be above `low`, {self.low}, received {self.high}")

    def __call__(self, sde: LinearSDE, times: np.ndarray) -> np.ndarray:
        """See `Schedule`."""
        rho = sde.rho(np.asarray(times, np.float64))
        return ((rho > self.low) & (rho <= self.high)).astype(np.float64)


@dataclasses.dataclass(frozen=True)
class Linear:
    """`start + (end - start) p`, where p goes from 0 in the noise to 1 at the data.

    p is even in `samplers.strength.noise_fraction`, on a variance preserving diffusion its time.
    Analysis of classifier-free guidance weight schedulers (Wang et al., 2024), where an increase
    is best.

    Args:
      start: the share in the noise, in [0, 1].
      end: the share at the data.

    Raises:
      ValueError: if a share is outside [0, 1].

    Examples:
      >>> from gddim_tf.sdes import VESDE
      >>> Linear()(VESDE.karras(), [80.0, 0.0])  # noise, data
      array([0., 1.])
    """

    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            real(name, getattr(self, name), 0.0, 1.0)

    def _progress(self, sde: LinearSDE, times: np.ndarray) -> np.ndarray:
        return 1 - noise_fraction(sde, np.asarray(times, np.float64))

    def __call__(self, sde: LinearSDE, times: np.ndarray) -> np.ndarray:
        """See `Schedule`."""
        return self.start + (self.end - self.start) * self._progress(sde, times)


@dataclasses.dataclass(frozen=True)
class Cosine(Linear):
    """`Linear` with `(1 - cos(pi p)) / 2` in the place of p: flat at both ends.

    Examples:
      >>> from gddim_tf.sdes import VESDE
      >>> Cosine(end=0.5)(VESDE.karras(), [80.0, 0.0])  # noise, data
      array([0. , 0.5])
    """

    def _progress(self, sde: LinearSDE, times: np.ndarray) -> np.ndarray:
        return 0.5 - 0.5 * np.cos(np.pi * super()._progress(sde, times))
