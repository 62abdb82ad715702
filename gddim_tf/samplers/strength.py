"""A noise level as a fraction that means the same on every diffusion, and grids from there on."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from gddim_tf.checks import real
from gddim_tf.samplers.grids import LARGEST_RHO
from gddim_tf.sdes import LinearSDE


def noise_fraction(sde: LinearSDE, times: np.ndarray) -> np.ndarray:
    """`sqrt(log(1 + rho^2))` at times, over its value at `t_max`: 0 for data, 1 for noise.

    On a variance preserving diffusion with beta proportional to t it is the time itself; on others
    the time at which that one has the same `rho`.

    Args:
      sde: the diffusion.
      times: `[n]`.

    Returns:
      `[n]`, in [0, 1]; where nothing of the data is left at `t_max`, 1 from `rho = 100` on.
    """
    return np.minimum(_clock(sde.rho(np.asarray(times, np.float64))) / _last(sde), 1.0)


def time_of_strength(sde: LinearSDE, strength: float) -> float:
    """The time at which `noise_fraction` is `strength`.

    Raises:
      ValueError: if it is outside (0, 1], or leads to where sampling ends.
    """
    strength = real("strength", strength, 0.0, 1.0, above=True)
    if strength == 1:
        return sde.t_max
    time = float(sde.time_of_rho(np.sqrt(np.expm1((strength * _last(sde)) ** 2))))
    earliest = max(sde.t_min, sde.t_earliest)
    if not time > earliest:
        least = float(noise_fraction(sde, np.array([earliest]))[0])
        raise ValueError(f"`strength` must be above {least:.3g} on {sde}, received {strength}")
    return min(time, sde.t_max)


def _clock(rho: np.ndarray) -> np.ndarray:
    return np.sqrt(np.log1p(rho**2))


def _last(sde: LinearSDE) -> float:
    rho = sde.rho(np.array(sde.t_max))
    return float(_clock(np.asarray(LARGEST_RHO if np.isinf(rho) else rho)))


def starting_at(sde: LinearSDE, time: float) -> LinearSDE:
    """A diffusion as a grid sees it that starts at a time of its own.

    A copy with another `t_max` would be another diffusion where the schedule refers to it.
    """
    return cast(LinearSDE, _Later(sde, time))


class _Later:
    """A diffusion but for `t_max`."""

    signal_free = False

    def __init__(self, sde: LinearSDE, start: float) -> None:
        self._sde, self.t_max = sde, start

    def until(self, t_min: float) -> _Later:
        """The same with another earliest time, as `LinearSDE.until` gives it."""
        return _Later(self._sde.until(t_min), self.t_max)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sde, name)
