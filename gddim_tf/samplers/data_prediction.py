"""Steps in the predicted data `D = Psi(0, t) (u - R eps)` instead of the predicted noise.

On exact scores `D` is the mean of the clean state given u. With `u = Psi(t, 0) D + R eps` the
probability flow over a step from s to t is `u_t = R_t R_s^{-1} u_s + int dZ(tau) D(tau)` with
`Z(tau) = R_t R_tau^{-1} Psi(tau, 0)`, the mirror image of gDDIM's `u_t = Psi u_s + int dY eps` with
`Y(tau) = Psi(t, tau) R_tau`. For one component `Z = sigma_t exp(lambda)`, where
`lambda = -log rho` is half the log signal-to-noise ratio, and this is the starting point of
DPM-Solver++ (Lu et al., 2022), proposition 4.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gddim_tf.numerics.linalg import inverse, positive_root, product, transpose
from gddim_tf.numerics.quadrature import FEW_NODES, NODES, is_resolved, stieltjes
from gddim_tf.samplers.clipping import Clip
from gddim_tf.samplers.weights import chunks
from gddim_tf.sdes import LinearSDE
from gddim_tf.sdes.times import Times


def data_columns(sde: LinearSDE, times: np.ndarray, clip: Clip | None = None) -> dict[str, Any]:
    """The columns of a table that stores D at the times of its rows.

    Args:
      sde: the diffusion.
      times: `[rows]`.
      clip: None, or what the image component of D is clipped to; the other components, which are 0
        in clean data, are then taken to be 0.

    Returns:
      `data_state`, `data_eps` and `clip`.

    Raises:
      ValueError: if there is a `clip` and the components of a state are not pixels.
    """
    if clip is not None and sde.mode_index is not None:
        raise ValueError(
            f"`clip` must be None on {type(sde).__name__}, whose states are not pixels, "
            f"received {clip}"
        )
    back = sde.transition(np.zeros_like(times), times)
    if clip is not None:
        back = back * np.eye(sde.components)[:, :1]
    return {"data_state": back, "data_eps": -product(back, sde.root(times)), "clip": clip}


def carry(sde: LinearSDE, start: Times, end: Times, prediction: str) -> np.ndarray:
    """The weight of the state in a step: `R_t R_s^{-1}` for "data", `Psi` for "eps".

    Raises:
      ValueError: for "data" at a start without noise.
    """
    if prediction == "eps":
        return sde.transition(end, start)
    return product(sde.root(end), _inverse_root(sde, np.asarray(start)))


def moments(sde: LinearSDE, start: Times, end: Times, count: int, prediction: str) -> np.ndarray:
    """`W_k = int p^k dZ` (or `dY`) over steps, k = 0, ..., count - 1, p from `positions`.

    Args:
      sde: the diffusion.
      start: s, the time of the state, one or `[steps]`.
      end: t, the time of the result, of the same shape.
      count: how many.
      prediction: "data" for Z, "eps" for Y.

    Returns:
      `[count, *times, *modes, k, k]`, float64.
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    before, after = (
        sde.root(t) if prediction == "eps" else sde.transition(t, np.zeros_like(t))
        for t in (start, end)
    )
    whole = after - product(carry(sde, start, end, prediction), before)
    if count == 1:
        return whole[None]
    starts, ends = start.reshape(-1), end.reshape(-1)
    parts = [
        _higher_moments(sde, starts[chunk], ends[chunk], count, prediction)
        for chunk in chunks(sde, len(starts))
    ]
    return np.concatenate([whole[None], np.concatenate(parts, axis=1).reshape(-1, *whole.shape)])


def _higher_moments(
    sde: LinearSDE, start: np.ndarray, end: np.ndarray, count: int, prediction: str
) -> np.ndarray:
    """The moments but the first of steps `[steps]`, with few nodes where those are enough."""
    result = np.empty((count - 1, len(start), *sde.modes, sde.components, sde.components))
    left = np.arange(len(start))
    for nodes in (FEW_NODES, NODES):
        if not len(left):
            break
        inside = sde.quadrature_times(start[left], end[left], nodes)
        flow = _flow(sde, end[left, None], inside, prediction)
        where = positions(sde, start[left, None], end[left, None], inside)
        powers = where ** np.arange(1, count)[:, None, None]
        for i, step in enumerate(left):
            result[:, step] = stieltjes(powers[:, i], flow[i])
        left = left[
            [not (is_resolved(f) and is_resolved(p)) for f, p in zip(flow, where, strict=True)]
        ]
    return result


def reverse_moments(
    sde: LinearSDE, start: float, end: float, count: int, lam: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A step of the reverse diffusion with noise `lam`, from s to t, in the predicted data.

    `u_t = Psi_hat u_s + int D dZ + noise`, `Z(tau) = Psi_hat(t, tau) Psi(tau, 0)`, with the
    covariance `Sigma_t - Psi_hat Sigma_s Psi_hat^T`; `lam = 0` is the step of `moments`.

    Args:
      sde: the diffusion.
      start: s.
      end: t.
      count: how many moments.
      lam: the noise, at least 0; see `LinearSDE.reverse_transition`.

    Returns:
      `Psi_hat`, the moments `[count, *modes, k, k]` and a root of the covariance.
    """
    back = sde.reverse_transition(np.array([end]), np.array([start]), lam)[0]
    whole = sde.transition(end, 0.0) - back @ sde.transition(start, 0.0)
    if lam == 0:  # the root of a rounding error would be noise
        spread = np.zeros_like(back)
    else:
        carried = back @ sde.covariance(start) @ transpose(back)
        spread = positive_root(sde.covariance(end) - carried)
    moments = whole[None]
    if count > 1:
        inside = sde.quadrature_times(start, end)
        powers = positions(sde, start, end, inside) ** np.arange(1, count)[:, None]
        rest = stieltjes(powers, reverse_flow(sde, end, inside, lam))
        moments = np.concatenate([moments, rest])
    return back, moments, spread


def reverse_flow(sde: LinearSDE, end: float, tau: np.ndarray, lam: float) -> np.ndarray:
    """Z of `reverse_moments` at times, `[*times, *modes, k, k]`."""
    back = sde.reverse_transition(np.full_like(tau, end), tau, lam)
    return back @ sde.transition(tau, np.zeros_like(tau))


def positions(sde: LinearSDE, start: Times, end: Times, times: np.ndarray) -> np.ndarray:
    """Where times lie in a step: 0 at its start, 1 at its end, linear in `log rho`, `[*times]`.

    Raises:
      ValueError: if nothing in double precision is left of the signal at the start.
    """
    with np.errstate(divide="ignore", over="ignore"):
        noise_to_signal = sde.rho(np.stack([start, end]))
    if np.any(np.isinf(noise_to_signal[0])):
        raise ValueError(
            "a sampler in the log of `rho` needs some signal where it starts, and "
            f"{type(sde).__name__} has none at t = {np.max(start):g}: use a smaller `t_max`"
        )
    with np.errstate(divide="ignore"):  # at an end without noise, where no polynomial is used
        low, high = np.log(noise_to_signal)
    return (np.log(sde.rho(np.asarray(times))) - low) / (high - low)


def polynomial_weights(nodes: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Weights of the values at `nodes` in the integral of their interpolating polynomial.

    Args:
      nodes: `[n]`, distinct positions.
      moments: `[n, *modes, k, k]`, the integrals of the powers 0, ..., n - 1.

    Returns:
      `[n, *modes, k, k]`.
    """
    coefficients = np.linalg.inv(np.vander(nodes, increasing=True))  # [power, node]
    return np.tensordot(coefficients, moments, axes=(0, 0))


def _flow(sde: LinearSDE, end: np.ndarray, tau: np.ndarray, prediction: str) -> np.ndarray:
    if prediction == "eps":
        return product(sde.transition(end, tau), sde.root(tau))
    signal = sde.transition(tau, 0.0)
    return product(product(sde.root(end), _inverse_root(sde, tau)), signal)


def _inverse_root(sde: LinearSDE, t: np.ndarray) -> np.ndarray:
    root = sde.root(t)
    if not np.all(root if root.shape[-1] == 1 else np.linalg.det(root)):
        raise ValueError(
            f"a data prediction needs noise where the network is evaluated, and "
            f"{type(sde).__name__} has none at t = {np.min(t)}"
        )
    return inverse(root)
