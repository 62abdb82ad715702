"""RePaint: back and forth in the noise, so that what is known and what is drawn grow together."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.checks import fraction, whole
from gddim_tf.numerics.linalg import positive_root, transpose
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.builder import Row, pack, steps_within
from gddim_tf.samplers.methods.renoised import forward_step
from gddim_tf.samplers.methods.stochastic_gddim import StochasticGDDIM
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class RePaint(Sampler):
    """The reverse diffusion whose every few steps are made again after noise is added back.

    Each stretch of `jump` steps but the last is made `repeats` times: the forward diffusion leads
    from its end to its beginning in between. On any diffusion the marginals stay as they are, and
    known pixels get time to be taken notice of. For N steps it costs
    `N + (repeats - 1) jump floor((N - 1) / jump)` evaluations; where nothing of the data is left at
    `t_max`, one more leads away from there, to where no stretch goes back.
    RePaint (Lugmayr et al., 2022), algorithm 1 and section 4.2.

    Args:
      jump: steps of a stretch, at least 1; the paper's jump length.
      repeats: how often a stretch is made, at least 1; the paper's number of resamplings.
      lam: the noise of a step, in [0, 1], see `StochasticGDDIM`.
      grid: time grid.

    Raises:
      ValueError: if a number is out of range.

    Examples:
      >>> from gddim_tf.samplers import PowerGrid
      >>> from gddim_tf.sdes import VPSDE
      >>> RePaint(jump=2, repeats=2, grid=PowerGrid(1.0)).table(VPSDE(), nfe=9).time.round(1)
      array([1. , 0.8, 1. , 0.8, 0.6, 0.4, 0.6, 0.4, 0.2])
    """

    jump: int = 1
    repeats: int = 3
    lam: float = 1.0

    def __post_init__(self) -> None:
        for name in ("jump", "repeats"):
            whole(name, getattr(self, name), 1)
        fraction(lam=self.lam)

    def steps_of(self, nfe: int) -> int:
        """See `Sampler.steps_of`."""
        return steps_within(
            nfe, lambda n: n + (self.repeats - 1) * self.jump * ((n - 1) // self.jump), str(self)
        )

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`."""
        table, steps, rows = StochasticGDDIM(lam=self.lam).fill(sde, times), len(times) - 1, []
        plain = [
            Row(
                table.time[i],
                table.state[i],
                table.prediction[i],
                noise=None if table.noise is None else table.noise[i],
            )
            for i in range(steps)
        ]
        for first in range(0, steps, self.jump):
            stretch = plain[first : first + self.jump]
            if first + self.jump < steps:
                forward, spread = forward_step(sde, times[first + self.jump], times[first])
                rows += (self.repeats - 1) * [*stretch[:-1], _back(stretch[-1], forward, spread)]
            rows += stretch
        return pack(rows, sde)


def _back(row: Row, forward: np.ndarray, spread: np.ndarray) -> Row:
    """A row whose result goes on to `forward @ point + spread @ z`, with one noise for both."""
    covariance = spread @ transpose(spread)
    if row.noise is not None:
        moved = forward @ row.noise
        covariance = covariance + moved @ transpose(moved)
    return dataclasses.replace(
        row,
        state=forward @ row.state,
        kept=[forward @ weight for weight in row.kept],
        noise=positive_root(covariance),
    )
