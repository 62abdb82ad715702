"""Time grids: strictly decreasing lists `t_0 = t_max > ... > t_N = t_min`, as functions of the SDE.

A step is always a pair of neighbours of the grid; no stride is ever derived from it. Where the
network may not be asked down to `t_min` (a discrete schedule, see `LinearSDE.t_earliest`), the last
step leads there from the earliest time at which it may, `t_{N-1} = t_earliest`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from gddim_tf.checks import positive
from gddim_tf.sdes import LinearSDE

Grid = Callable[[LinearSDE, int], np.ndarray]

# Where a grid in rho starts to count if rho is infinite at `t_max`.
LARGEST_RHO = 100.0

# How far beyond `t_max` a list may go, whose times somebody computed.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class PowerGrid:
    """`t_i = (t_max^(1/p) + i/N (t_min^(1/p) - t_max^(1/p)))^p`; p = 2 is gDDIM's quadratic grid.

    Args:
      power: p; 1 is uniform in t, larger values put more points near the data.

    Raises:
      ValueError: if `power` is not positive.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> PowerGrid(1.0)(VPSDE(t_min=0.2), 4)
      array([1. , 0.8, 0.6, 0.4, 0.2])
    """

    power: float = 2.0

    def __post_init__(self) -> None:
        positive(power=self.power)

    def __call__(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """Times `[steps + 1]`, decreasing from `sde.t_max` to `sde.t_min`."""
        return _spaced(sde, steps, lambda t: t ** (1 / self.power), lambda z: z**self.power)


@dataclasses.dataclass(frozen=True)
class RhoGrid:
    """The same power rule in `rho`, the noise over the signal; EDM (Karras et al., 2022), eq. 5.

    Args:
      power: 7 in EDM.

    Raises:
      ValueError: if `power` is not positive.

    Examples:
      >>> from gddim_tf.sdes import VESDE
      >>> RhoGrid()(VESDE.karras(), 3).round(2).tolist()
      [80.0, 9.72, 0.47, 0.0]
    """

    power: float = 7.0

    def __post_init__(self) -> None:
        positive(power=self.power)

    def __call__(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """Times `[steps + 1]`, decreasing from `sde.t_max` to `sde.t_min`."""
        return _spaced(
            sde,
            steps,
            lambda t: sde.rho(t) ** (1 / self.power),
            lambda z: sde.time_of_rho(z**self.power),
        )


@dataclasses.dataclass(frozen=True)
class VPTimeGrid:
    """The power rule in `sqrt(log(1 + (rho / scale)^2))`, a clock that every diffusion has.

    With scale 1 it is, up to a factor, the time at which the variance preserving diffusion with
    `beta` proportional to t has the same `rho`: near the data it grows like rho, in the noise like
    the root of the logarithm of rho.

    Args:
      power: p; larger values put more points near the data.
      scale: the `rho` at which the clock turns from one regime to the other; larger values put more
        points above it.

    Raises:
      ValueError: if a number is not positive.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> len(VPTimeGrid()(VPSDE(), 10))
      11
    """

    power: float = 2.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        positive(power=self.power)
        positive(scale=self.scale)

    def __call__(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """Times `[steps + 1]`, decreasing from `sde.t_max` to `sde.t_min`."""
        return _spaced(
            sde,
            steps,
            lambda t: np.log1p((sde.rho(t) / self.scale) ** 2) ** (0.5 / self.power),
            lambda z: sde.time_of_rho(self.scale * np.sqrt(np.expm1(z ** (2 * self.power)))),
        )


@dataclasses.dataclass(frozen=True)
class LogSNRGrid:
    """Uniform in `log rho`, that is in the logarithm of signal over noise; DPM-Solver's grid.

    Examples:
      >>> from gddim_tf.sdes import VESDE
      >>> LogSNRGrid()(VESDE.karras(0.01, 100.0), 4)
      array([1.e+02, 1.e+01, 1.e+00, 1.e-01, 1.e-02])
    """

    def __call__(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """Times `[steps + 1]`; raises `ValueError` if there is no noise where the last step ends.

        On a discrete schedule it is where the last step begins, at the first label.
        """
        if sde.rho(max(sde.t_min, sde.t_earliest)) <= 0:
            raise ValueError(
                f"a log-SNR grid needs noise at `t_min`, received t_min = {sde.t_min} of {sde}"
            )
        return _spaced(
            sde, steps, lambda t: np.log(sde.rho(t)), lambda z: sde.time_of_rho(np.exp(z))
        )


@dataclasses.dataclass(frozen=True)
class ListGrid:
    """A user's own times, from noise to data.

    Args:
      times: strictly decreasing (strictly increasing for encoding).

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> ListGrid([1.0, 0.5, 0.1])(VPSDE(), 2)
      array([1. , 0.5, 0.1])
    """

    times: tuple[float, ...]

    def __init__(self, times: Sequence[float]) -> None:
        object.__setattr__(self, "times", tuple(float(t) for t in times))
        check_grid(np.asarray(self.times))

    def __call__(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """The list; raises `ValueError` if it does not hold `steps + 1` times within the SDE's."""
        if len(self.times) != steps + 1:
            raise ValueError(
                f"the list of times makes {len(self.times) - 1} steps, the budget asks for {steps}"
            )
        times = np.asarray(self.times)
        if times.min() < 0 or times.max() > sde.t_max * (1 + _ROUNDING):
            raise ValueError(
                f"times must lie in [0, {sde.t_max}], received {times.min()} to {times.max()}"
            )
        return np.minimum(times, sde.t_max)


def _spaced(
    sde: LinearSDE,
    steps: int,
    forward: Callable[[np.ndarray], np.ndarray],
    inverse: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    last = max(sde.t_min, sde.t_earliest)
    even = steps - (last > sde.t_min)
    if even == 0:
        return check_grid(np.array([sde.t_max, sde.t_min]))
    with np.errstate(divide="ignore"):
        ends = forward(np.array([sde.t_max, last]))
    if np.isinf(ends[0]):  # no signal is left, and a first step from there may be long
        ends = forward(np.array([sde.time_of_rho(LARGEST_RHO), last]))
    times = inverse(ends[0] + np.arange(even + 1) / even * (ends[1] - ends[0]))
    times[0], times[-1] = sde.t_max, last  # the inverse may round
    return check_grid(np.append(times, [sde.t_min] * (steps - even)))


def check_grid(times: np.ndarray) -> np.ndarray:
    """The times, if they are finite and strictly monotone.

    Raises:
      ValueError: otherwise, naming the first pair that is not.
    """
    steps = np.diff(times)
    if len(times) < 2 or not np.all(np.isfinite(times)):
        raise ValueError(f"a grid needs at least two finite times, received {times!r}")
    wrong = np.flatnonzero(np.sign(steps) != np.sign(times[-1] - times[0]))
    if len(wrong) or times[0] == times[-1]:
        i = int(wrong[0]) if len(wrong) else 0
        raise ValueError(
            f"the times of a grid must be strictly decreasing, received {times[i]} followed by "
            f"{times[i + 1]} at step {i}"
        )
    return times
