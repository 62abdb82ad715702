"""SSCS: an exact Gaussian half-step, a score step, an exact half-step."""

from __future__ import annotations

import dataclasses

import numpy as np

from gddim_tf.numerics.linalg import positive_root, transpose
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.table import Table, multistep_table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True, kw_only=True)
class SSCS(Sampler):
    """The symmetric splitting sampler of CLD, on every linear diffusion.

    The score is split into that of a Gaussian, `s_A = -S_t^{-1} u`, and the rest. The reverse
    diffusion with `s_A` alone is linear and taken exactly,
    `u_t ~ N(S_t Psi(s, t)^T S_s^{-1} u_s, S_t - S_t Psi(s, t)^T S_s^{-1} Psi(s, t) S_t)`, for half
    a step; then one Euler step of `du = G G^T (s - s_A)` at the middle of the step; then the other
    half. Half-steps that meet are merged, so that one step costs one evaluation.

    The Gaussian is that of data with covariance `prior - Sigma_0`: on diffusions that keep the
    prior invariant (CLD, VPSDE) `S_t` is the prior's covariance at all times, and this is the
    published method. On a discrete schedule the last score step is at the first label.
    CLD-SGM (Dockhorn et al., 2022), section 3.3 and appendix D.

    Args:
      grid: time grid.

    Examples:
      >>> from gddim_tf.sdes import CLD
      >>> SSCS().table(CLD(), nfe=10).nfe
      10
    """

    def fill(self, sde: LinearSDE, times: np.ndarray) -> Table:
        """The rows on a grid `[steps + 1]`."""
        middles = np.maximum(0.5 * (times[:-1] + times[1:]), sde.t_earliest)
        stops = np.concatenate([times[:1], middles, times[-1:]])
        gaussian = _gaussian_covariance(sde, stops)
        back = transpose(sde.transition(stops[:-1], stops[1:]))
        exact = gaussian[1:] @ back @ np.linalg.inv(gaussian[:-1])
        noise = positive_root(gaussian[1:] - exact @ gaussian[:-1] @ transpose(exact))

        width = np.abs(np.diff(times)).reshape(-1, *(1,) * (len(sde.modes) + 2))
        diffusion = sde.diffusion(middles)
        spread = width * diffusion @ transpose(diffusion)
        state = np.eye(sde.components) + spread @ np.linalg.inv(gaussian[1:-1])
        weight = -spread @ transpose(np.linalg.inv(sde.root(middles)))
        return multistep_table(
            middles,
            exact[1:] @ state,
            list((exact[1:] @ weight)[:, None]),
            noise=noise[1:],
            start=(exact[0], noise[0]),
            mode_index=sde.mode_index,
        )


def _gaussian_covariance(sde: LinearSDE, times: np.ndarray) -> np.ndarray:
    """`S_t = Psi(t, 0) (prior - Sigma_0) Psi(t, 0)^T + Sigma_t`, `[times, *modes, k, k]`."""
    scale = sde.prior_scale()
    root = positive_root(scale @ transpose(scale) - sde.covariance(0.0))
    spread = sde.transition(times, np.zeros_like(times)) @ root
    return spread @ transpose(spread) + sde.covariance(times)
