"""DDIM: the non-Markovian sampler whose noise can be turned down to nothing."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.checks import fraction
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.clipping import Clip, check_clip
from gddim_tf.samplers.data_prediction import data_columns
from gddim_tf.samplers.table import Table, multistep_table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class DDIM(Sampler):
    """`x' = sqrt(b) x0 + sqrt(1 - b - sigma^2) eps + sigma z`, a step from alpha-bar a to b.

    `x0 = (x - sqrt(1 - a) eps) / sqrt(a)` and
    `sigma = eta sqrt((1 - b) / (1 - a)) sqrt(1 - a / b)`; `eta = 0` is deterministic and, on every
    linear diffusion, the order-0 gDDIM; `eta = 1` is DDPM's ancestral sampling. With `clip`, x0 is
    clipped and eps is what the clipped x0 implies, or with `clipped_eps=False` the network's own,
    as in diffusers. The sigma-hat of the paper's experiments, more noise around the mean of
    `eta = 1`, is `Ancestral(variance="large")`.
    DDIM (Song et al., 2021), eq. 12 and 16.

    Args:
      eta: noise, in [0, 1].
      clip: None, or the bound for the predicted image (or a `DynamicThreshold`).
      clipped_eps: whether eps is what the clipped x0 implies (DDPM's and DDIM's programs) or the
        network's own (diffusers' `use_clipped_model_output=False`); without `clip` they are equal.
      grid: time grid.

    Raises:
      ValueError: if `eta` is outside [0, 1] or `clip` is not positive.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> DDIM(eta=1.0).table(VPSDE(), nfe=10).stochastic
      True
    """

    eta: float = 0.0
    clip: Clip | None = None
    clipped_eps: bool = True

    def __post_init__(self) -> None:
        fraction(eta=self.eta)
        check_clip(self.clip)

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid; raises `ValueError` if `eta > 0` on an SDE of more components."""
        start, end = times[:-1], times[1:]
        direction, noise = sde.root(end), None  # what multiplies eps beside x0, and z
        if self.eta > 0:
            if sde.components > 1:
                raise ValueError(
                    f"`eta` must be 0 on an SDE of {sde.components} components, received "
                    f"{self.eta}; StochasticGDDIM(lam=...) is the stochastic sampler there"
                )
            ancestral = sde.reverse_transition(end, start, 1.0)
            covariance = sde.covariance(end)
            spent = self.eta**2 * (covariance - ancestral**2 * sde.covariance(start))
            spent = np.maximum(spent, 0.0)
            direction, noise = np.sqrt(covariance - spent), np.sqrt(spent)
        if self.clip is None:
            state, columns = sde.transition(end, start), {}
            weight = direction - state @ sde.root(start)
        else:
            state = direction @ np.linalg.inv(sde.root(start))
            zero, columns = np.zeros_like(start), data_columns(sde, start, self.clip)
            weight = sde.transition(end, zero)
            if self.clipped_eps:
                weight = weight - state @ sde.transition(start, zero)
            else:
                state, columns["own"] = np.zeros_like(state), direction
        return multistep_table(
            start,
            state,
            list(weight[:, None]),
            noise=noise,
            mode_index=sde.mode_index,
            **columns,
        )
