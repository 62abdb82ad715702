"""gDDIM: exponential multistep methods in the parameterisation that keeps eps smooth."""

from __future__ import annotations

import dataclasses
import itertools
import numbers

import numpy as np

from gddim_tf.numerics.linalg import product
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.builder import Move, Row, correcting_rows, pack, steps_within
from gddim_tf.samplers.methods.rho_rk import exponential_step
from gddim_tf.samplers.methods.runge_kutta import TABLEAUX, times_of_full_steps
from gddim_tf.samplers.table import Table
from gddim_tf.samplers.weights import check_variable, noise_pull, weights_of_steps
from gddim_tf.sdes import LinearSDE

_HIGHEST_ORDER = 4  # polynomials through more values swing
# The one-step method whose local error a multistep method of each order needs at its start.
_STARTERS = {2: "2heun", 3: "3kutta", 4: "4rk"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class GDDIM(Sampler):
    """`u' = Psi u + sum_j C_j eps_j`, with eps a polynomial through its last `order + 1` values.

    The weights are `C_j = int l_j dY`, `Y = Psi(t, tau) R(tau)`; `order = 0` is DDIM. A corrector
    repeats the step with the polynomial that also goes through eps at the predicted point, and
    `corrector_order` values before it.
    gDDIM (Zhang et al., 2023), eq. 19 (predictor) and 45 (corrector); `StochasticGDDIM` is eq. 22.

        >>> import gddim_tf as gd
        >>> table = gd.samplers.GDDIM(order=2).table(gd.sdes.CLD(), nfe=20)
        >>> table.nfe, table.history, table.state.shape
        (20, 3, (20, 2, 2))

    Args:
      order: q from 0 to 4, how many earlier values the predictor uses; the first steps use as many
        as there are (`start = "ramp"`), which limits the order of convergence to 2.
      corrector: "none"; "pece", which evaluates again at the corrected point (2 N - 1 evaluations
        for N steps, the last step is not corrected); or "free", which corrects a step with the
        evaluation that the next one makes anyway.
      corrector_order: how many values before the predicted point the corrector uses, at least 1;
        None for that of the predictor.
      variable: what eps is a polynomial in: "t", "sqrt_t", "rho", "log_rho", "asinh_rho" (of 3 rho)
        or "sqrt_vp_time" (see `VPTimeGrid`).
      root: "R", or "L" to interpolate the eps of the Cholesky factor instead (an ablation).
      start: "ramp", or "single_step" to make the first `order` steps with a Runge-Kutta method of
        that order (2 to 4; `order` evaluations a step), after which convergence is of order
        `order + 1`.
      denoise: whether to end with one more evaluation, a step of the mean of the reverse diffusion
        from the end of the grid to 0, as the published code does.
      grid: time grid.

    Raises:
      ValueError: if an argument is unknown, out of range, or does not go with the others.
    """

    order: int = 2
    corrector: str = "none"
    corrector_order: int | None = None
    variable: str = "t"
    root: str = "R"
    start: str = "ramp"
    denoise: bool = False

    def __post_init__(self) -> None:
        check_variable(self.variable)
        choices = (
            ("corrector", ("none", "pece", "free")),
            ("root", ("R", "L")),
            ("start", ("ramp", "single_step")),
        )
        for name, known in choices:
            if getattr(self, name) not in known:
                raise ValueError(
                    f"`{name}` must be one of {known}, received {getattr(self, name)!r}"
                )
        least_orders = {"order": (self.order, 0)}
        if self.corrector_order is not None:
            least_orders["corrector_order"] = (self.corrector_order, 1)
        for name, (order, least) in least_orders.items():
            whole = isinstance(order, numbers.Integral) and not isinstance(order, bool)
            if not whole or order < least:
                raise ValueError(
                    f"`{name}` must be a whole number of at least {least}, received {order}"
                )
        if self.start == "single_step" and self._start_order not in (0, 1, *_STARTERS):
            raise ValueError(
                f'`start` = "single_step" needs orders of at most {max(_STARTERS)}, received '
                f"{self._start_order}"
            )

        for name, order in (("order", self.order), ("corrector_order", self._corrector_order)):
            if order > _HIGHEST_ORDER:
                raise ValueError(f"`{name}` must be at most {_HIGHEST_ORDER}, received {order}")

    @property
    def _corrector_order(self) -> int:
        return max(self.order, 1) if self.corrector_order is None else self.corrector_order

    @property
    def _start_order(self) -> int:
        return self.order if self.corrector == "none" else max(self.order, self._corrector_order)

    def _starting_steps(self, steps: int) -> int:
        wanted = self.start == "single_step" and self._start_order in _STARTERS
        return min(self._start_order, steps) if wanted else 0

    def cost(self, steps: int) -> int:
        """Network evaluations of a number of grid steps."""
        starting = self._starting_steps(steps)
        later = steps - starting
        if self.corrector == "pece" and later:
            later = 2 * later - 1
        return starting * self._start_order + later + self.denoise

    def steps_of(self, nfe: int) -> int:
        """See `Sampler.steps_of`; the inverse of `cost`."""
        return steps_within(nfe, self.cost, repr(self))

    def times(self, sde: LinearSDE, steps: int) -> np.ndarray:
        """See `Sampler.times`; a run may be Runge-Kutta steps only."""
        if 0 < self._starting_steps(steps) == steps:
            return times_of_full_steps(self.grid, sde, steps)
        return self.grid(sde, steps)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`.

        Raises:
          ValueError: if a denoising step is asked for where there is no noise, or on a grid that
            goes from data to noise.
        """
        moves = self._predictions(sde, times)
        if self.denoise:
            moves.append(denoising_step(sde, times))
        first = self._starting_steps(len(times) - 1)
        rows = []
        for start, end in itertools.pairwise(times[: first + 1]):
            tableau = TABLEAUX[_STARTERS[self._start_order]]
            rows += exponential_step(sde, start, end, tableau, self.variable, keep_first=True)
        finish = {"none": self._plain, "pece": self._pece, "free": self._free}[self.corrector]
        return pack(rows + finish(sde, times, moves, first), sde)

    def _predictions(self, sde: LinearSDE, times: np.ndarray) -> list[Move]:
        if self.order or self.root != "R":
            before = range(len(times) - 1)
            return self._moves(sde, times, [times[max(i - self.order, 0) : i + 1] for i in before])
        psi, root = sde.transition(times[1:], times[:-1]), sde.root(times)
        return list(zip(psi, (root[1:] - product(psi, root[:-1]))[:, None], strict=True))

    def _corrections(self, sde: LinearSDE, times: np.ndarray, steps: range) -> list[Move]:
        """Some of the steps with the output at their end, which comes first."""
        nodes = [times[max(i + 1 - self._corrector_order, 0) : i + 2] for i in steps]
        return self._moves(sde, times[steps.start : steps.stop + 1], nodes) if nodes else []

    def _moves(self, sde: LinearSDE, times: np.ndarray, nodes: list[np.ndarray]) -> list[Move]:
        """The steps between times, each with the polynomial through its nodes, oldest first."""
        starts, ends, newest_first = times[:-1], times[1:], [node[::-1] for node in nodes]
        weights = weights_of_steps(sde, starts, ends, newest_first, self.variable, self.root)
        return list(zip(sde.transition(ends, starts), weights, strict=True))

    def _plain(self, sde: LinearSDE, times: np.ndarray, moves: list[Move], first: int) -> list[Row]:
        return [Row(times[i], *moves[i]) for i in range(first, len(moves))]

    def _pece(self, sde: LinearSDE, times: np.ndarray, moves: list[Move], first: int) -> list[Row]:
        rows, last = [], len(times) - 2
        corrections = self._corrections(sde, times, range(first, last))
        for i in range(first, len(moves)):
            rows.append(Row(times[i], *moves[i], commit=i >= last))
            if i < last:
                psi, (newest, *earlier) = corrections[i - first]
                rows.append(Row(times[i + 1], psi, earlier, [newest], keep=False))
        return rows

    def _free(self, sde: LinearSDE, times: np.ndarray, moves: list[Move], first: int) -> list[Row]:
        corrections = self._corrections(sde, times, range(first, len(moves) - 1))
        return correcting_rows(times[first:], moves[first:], corrections)


def denoising_step(sde: LinearSDE, times: np.ndarray) -> Move:
    """`u - t (F u - G G^T s)` from the last time t of a grid: the mean of an Euler step to 0.

    Args:
      sde: the diffusion.
      times: a grid that ends at t > 0.

    Returns:
      The weights of the state and of eps.

    Raises:
      ValueError: if there is no noise left at the end, or the grid does not lead to the data.
    """
    t = times[-1]
    if t > times[0] or t == 0:
        raise ValueError(
            f"`denoise` needs a grid that ends above t = 0, received {times[0]} to {times[-1]}"
        )
    return np.eye(sde.components) - t * sde.drift(t), -t * noise_pull(sde, t)[None]
