"""DDIM: the non-Markovian sampler whose noise can be turned down to nothing."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.table import Table, multistep_table
from gddim_tf.samplers.weights import exponential_weights
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class DDIM(Sampler):
    """`x' = sqrt(b) x0 + sqrt(1 - b - sigma^2) eps + sigma z`, a step from alpha-bar a to b.

    `x0 = (x - sqrt(1 - a) eps) / sqrt(a)` and
    `sigma = eta sqrt((1 - b) / (1 - a)) sqrt(1 - a / b)`; `eta = 0` is deterministic and, on every
    linear diffusion, the order-0 gDDIM; `eta = 1` is DDPM's ancestral sampling.
    DDIM (Song et al., 2021), eq. 12 and 16.

    Args:
      eta: noise, in [0, 1].
      grid: time grid.

    Raises:
      ValueError: if `eta` is outside [0, 1].
    """

    eta: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.eta <= 1:
            raise ValueError(f"`eta` must be in [0, 1], received {self.eta}")

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid; raises `ValueError` if `eta > 0` on an SDE of more components."""
        start, end = times[:-1], times[1:]
        state = sde.transition(end, start)
        if self.eta == 0:
            weights = [exponential_weights(sde, s, t, [s]) for s, t in zip(start, end, strict=True)]
            return multistep_table(start, state, weights, mode_index=sde.mode_index)
        if sde.components > 1:
            raise ValueError(
                f"`eta` must be 0 on an SDE of {sde.components} components, received {self.eta}; "
                "GDDIM(lam=...) is the stochastic sampler there"
            )
        ancestral = sde.reverse_transition(end, start, 1.0)
        covariance = sde.covariance(end)
        spent = self.eta**2 * (covariance - ancestral**2 * sde.covariance(start))
        spent = np.maximum(spent, 0.0)
        direction = np.sqrt(covariance - spent) - state * sde.root(start)
        return multistep_table(
            start, state, list(direction[:, None]), noise=np.sqrt(spent), mode_index=sde.mode_index
        )
