"""SA-Solver: stochastic Adams methods in the predicted data, a predictor and a corrector."""

from __future__ import annotations

import dataclasses
import numbers

import numpy as np

from gddim_tf.checks import not_negative
from gddim_tf.choice import one_of_few
from gddim_tf.numerics.quadrature import interpolation_matrix, legendre
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.builder import Row, pack
from gddim_tf.samplers.clipping import Clip, check_clip
from gddim_tf.samplers.data_prediction import (
    data_columns,
    polynomial_weights,
    positions,
    reverse_flow,
    reverse_moments,
)
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE

# The weights of a step: of the state, of the outputs, newest first, and of the noise.
_Move = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SASolver(Sampler):
    """A step of the reverse diffusion with noise tau, repeated with the output at its end.

    The predictor integrates the polynomial in lambda through the last outputs, the corrector that
    through the output at the predicted point too, with the same noise; one evaluation a step. With
    two outputs the weight of their difference is half the slope of the measure at the end of the
    step, which is published as better with few steps.
    SA-Solver (Xue et al., 2023), section 5; the rules of the first and last steps are diffusers'.

    Args:
      predictor_order: outputs of the predictor, 1 to 4.
      corrector_order: outputs of the corrector with the new one, 1 to 4.
      tau: the noise inside the interval, at least 0; 0 outside.
      interval: the lowest and the highest rho, which may be infinite, from which steps draw noise.
      clip: None, or the bound for the predicted image (or a `DynamicThreshold`).
      grid: time grid.

    Raises:
      ValueError: if a number is out of range.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> SASolver().table(VPSDE(), nfe=10).stochastic
      True
    """

    predictor_order: int = 2
    corrector_order: int = 2
    tau: float = 1.0
    interval: tuple[float, float] = (0.05, 50.0)
    clip: Clip | None = None

    def __post_init__(self) -> None:
        for name in ("predictor_order", "corrector_order"):
            one_of_few(name, getattr(self, name), 1, 2, 3, 4)
        not_negative(tau=self.tau)
        pair = isinstance(self.interval, tuple | list) and len(self.interval) == 2
        if not pair or not all(isinstance(value, numbers.Real) for value in self.interval):
            raise TypeError(f"`interval` must be two numbers, received {self.interval!r}")
        if not 0 <= self.interval[0] <= self.interval[1]:
            raise ValueError(
                f"`interval` must be 0 <= low <= high, in rho, received {self.interval!r}"
            )
        check_clip(self.clip)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`; raises `ValueError` if a time has no noise."""
        steps = len(times) - 1
        rows, corrected = [], np.zeros((0, *sde.modes, sde.components, sde.components))
        for i in range(steps):
            back, predictor, spread = self._move(sde, times, i, i, self._predicts(i, steps))
            # what is committed waits for the correction, which the next output brings
            carried = back @ corrected
            outputs = np.zeros((max(len(predictor), len(carried)), *predictor.shape[1:]))
            outputs[: len(predictor)] += predictor
            outputs[: len(carried)] += carried
            last = i + 1 == steps
            waiting = {} if last else {"corrected_state": back, "corrected": carried}
            rows.append(Row(times[i], back, outputs, noise=spread, **waiting))
            if not last:
                corrected = self._move(sde, times, i, i + 1, self._corrects(i, steps))[1]
        columns = data_columns(sde, times[:-1], self.clip)
        return dataclasses.replace(pack(rows, sde), **columns)

    def _predicts(self, i: int, steps: int) -> int:
        return min(self.predictor_order, steps - i, i + 1)

    def _corrects(self, i: int, steps: int) -> int:
        return min(self.corrector_order, steps - i + 1, i + 2)

    def _move(self, sde: LinearSDE, times: np.ndarray, i: int, newest: int, count: int) -> _Move:
        """Step i with `count` outputs, the newest of them at `times[newest]`."""
        start, end = times[i], times[i + 1]
        low, high = self.interval
        tau = self.tau if low <= sde.rho(start) <= high else 0.0
        back, moments, spread = reverse_moments(sde, start, end, count, tau)
        if count == 2:
            moments[1] = 0.5 * _end_slope(sde, start, end, tau)
        if count > 1 or newest > i:
            nodes = times[newest + 1 - count : newest + 1][::-1]
            where = positions(sde, start, end, nodes) if count > 1 else np.zeros(1)
            moments = polynomial_weights(where, moments)
        return back, moments, spread


def _end_slope(sde: LinearSDE, start: float, end: float, tau: float) -> np.ndarray:
    """`dZ / dp` at the end of a step, p is that of `positions`, `[*modes, k, k]`."""
    inside = sde.quadrature_times(start, end)
    slope = interpolation_matrix(np.array([1.0]), len(inside))[0] @ legendre(len(inside))[2]
    flow = np.tensordot(slope, reverse_flow(sde, end, inside, tau), axes=(0, 0))
    return flow / (slope @ positions(sde, start, end, inside))
