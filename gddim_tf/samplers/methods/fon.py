"""Classical formulas on a finite difference of DDIM, which PNDM is compared with."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.builder import Row, pack
from gddim_tf.samplers.grids import Grid, PowerGrid
from gddim_tf.samplers.methods.pndm import (
    adams_bashforth_weights,
    after_warm_up,
    first_three,
    transfer,
)
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE

# Derivatives are taken over one training step of a thousand.
_TRAINING_STEPS = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class FON(Sampler):
    """Classical fourth order methods on a finite difference of DDIM: PNDM's counterexample.

    `D(eps) = (phi(x, eps; t -> t - h) - x) / h` with h one training step (`t_max / 1000`), always
    at the x and t where the step starts; three Runge-Kutta steps, then Adams-Bashforth in D. N
    steps take N + 9 evaluations, and N is at least 4. Its error does not fall below that of the
    difference. PNDM (Liu et al., 2022), section 4.

    Args:
      grid: time grid.

    Examples:
      >>> FON().steps_of(20)
      11
    """

    grid: Grid = dataclasses.field(default=PowerGrid(1.0))

    def steps_of(self, nfe: int) -> int:
        """`nfe - 9`; raises `ValueError` for less than four steps."""
        return after_warm_up(nfe, 9, 4, "FON")

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`; raises `ValueError` for less than four steps."""
        spans = np.abs(np.diff(times))
        of_x, of_eps = _difference(sde, times[:-1], times[1:])
        identity = np.broadcast_to(np.eye(sde.components), of_x.shape[1:])
        rows, stored = [], []  # stored: the step, and whether its D includes P x
        for i, (t, s) in enumerate(first_three(times, "FON")):
            middle, half, full = 0.5 * (t + s), spans[i] / 2 * identity, spans[i] * identity
            # D takes x from the step's start. Later stages store Q eps alone, and P x comes with
            # the state.
            stored += [(i, 1), (i, 0), (i, 0), (i, 0)]
            first, second, last = (
                identity + part * spans[i] * of_x[i] for part in (1 / 2, 1, 5 / 6)
            )
            rows += [
                Row(t, identity, [half], commit=False),
                Row(middle, first, (), [half], keep=False, commit=False),
                Row(middle, second, (), [full], keep=False, commit=False),
                Row(s, last, [full / 6], [full / 6, full / 3, full / 3], keep=False),
            ]
        for i in range(3, len(spans)):
            stored.append((i, 1))
            weights = [spans[i] * a * identity for a in adams_bashforth_weights(4)]
            rows.append(Row(times[i], identity, weights))
        return dataclasses.replace(
            pack(rows, sde),
            data_state=np.stack([of_x[i] * with_x for i, with_x in stored]),
            data_eps=np.stack([of_eps[i] for i, _ in stored]),
        )


def _difference(sde: LinearSDE, t: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """FON's D on the way from times t to times s, as the weights of x and eps."""
    h = np.minimum(sde.t_max / _TRAINING_STEPS, np.abs(s - t))
    psi, weight = transfer(sde, t, t + np.sign(s - t) * h)
    h = h.reshape(-1, *(1,) * (psi.ndim - 1))
    return (psi - np.eye(sde.components)) / h, weight / h
