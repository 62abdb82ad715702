"""The integrals of exponential integrators: `C_j = int l_j(tau) dY(tau)`, `Y = Psi(t, tau) K(tau)`.

With the score `s = -K^{-T} eps` the probability flow over a step from s to t is
`u_t = Psi(t, s) u_s + int 1/2 Psi(t, tau) G G^T K^{-T} eps dtau`. For `K = R` the integrand without
eps is the derivative of `Y` (gDDIM, eq. 19), so that replacing eps by the polynomial through the
last outputs gives the weights above, and with one output simply `C_0 = R_t - Psi R_s`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gddim_tf.numerics.linalg import product, transpose
from gddim_tf.numerics.quadrature import FEW_NODES, is_resolved, stieltjes
from gddim_tf.sdes import LinearSDE
from gddim_tf.sdes.times import Times

# Numbers of one array of steps at their nodes, at most: it stays in the processor's cache.
_CHUNK = 1 << 18

# Functions of time, `[m]` to `[n, m]`; times `[m]` and the values of Y there, `[m, *modes, k, k]`.
Basis = Callable[[np.ndarray], np.ndarray]
Flow = tuple[np.ndarray, np.ndarray]

# How often an interval is halved at most where 64 nodes do not resolve its transitions.
_HALVINGS = 4

# What the outputs are interpolated in: a function of time that is smooth along a trajectory. For
# the last one see `VPTimeGrid`.
VARIABLES: dict[str, Callable[[LinearSDE, np.ndarray], np.ndarray]] = {
    "t": lambda sde, t: np.asarray(t, np.float64),
    "sqrt_t": lambda sde, t: np.sqrt(t),
    "rho": lambda sde, t: sde.rho(t),
    "log_rho": lambda sde, t: np.log(sde.rho(t)),
    "asinh_rho": lambda sde, t: np.arcsinh(3.0 * sde.rho(t)),
    "sqrt_vp_time": lambda sde, t: np.log1p(sde.rho(t) ** 2) ** 0.25,
}

# From a value of the variable back to time.
INVERSES: dict[str, Callable[[LinearSDE, np.ndarray], np.ndarray]] = {
    "t": lambda sde, z: np.asarray(z, np.float64),
    "sqrt_t": lambda sde, z: np.square(z),
    "rho": lambda sde, z: sde.time_of_rho(z),
    "log_rho": lambda sde, z: sde.time_of_rho(np.exp(z)),
    "asinh_rho": lambda sde, z: sde.time_of_rho(np.sinh(z) / 3.0),
    "sqrt_vp_time": lambda sde, z: sde.time_of_rho(np.sqrt(np.expm1(z**4))),
}


def check_variable(variable: str) -> None:
    """Raises `ValueError` unless the variable is a key of `VARIABLES`."""
    if variable not in list(VARIABLES):
        raise ValueError(f"`variable` must be one of {list(VARIABLES)}, received {variable!r}")


def exponential_weights(
    sde: LinearSDE,
    start: float,
    end: float,
    nodes: Sequence[float] | np.ndarray,
    variable: str = "t",
    root: str = "R",
) -> np.ndarray:
    """Weights of the outputs at `nodes` in an exact step of the probability flow.

    Args:
      sde: the diffusion.
      start: s, the time of the state.
      end: t, the time of the result.
      nodes: distinct times of the outputs, newest first.
      variable: what the outputs are a polynomial in, a key of `VARIABLES`.
      root: "R" for gDDIM's parameterisation, or "L" to interpolate `eps_L = L^T R^{-T} eps`
        instead; the weights apply to eps (that of R) in either case.

    Returns:
      `[len(nodes), *modes, k, k]`, float64.
    """
    return weights_of_steps(sde, np.array([start]), np.array([end]), [nodes], variable, root)[0]


def weights_of_steps(
    sde: LinearSDE,
    starts: np.ndarray,
    ends: np.ndarray,
    nodes: Sequence[Sequence[float] | np.ndarray],
    variable: str = "t",
    root: str = "R",
) -> list[np.ndarray]:
    """`exponential_weights` of several steps, each with its nodes; arguments as there."""
    inner, weights = VARIABLES[variable], []
    for start, end, times, few in zip(
        starts, ends, map(np.asarray, nodes), _few_flows(sde, starts, ends), strict=True
    ):

        def basis(tau: np.ndarray, times: np.ndarray = times) -> np.ndarray:
            return lagrange(inner(sde, times), inner(sde, tau))

        if root == "L":
            weights.append(_turned_weights(sde, start, end, times, basis))
        elif len(times) == 1:
            carried = product(sde.transition(end, start), sde.root(start))
            weights.append((sde.root(end) - carried)[None])
        else:
            weights.append(flow_integrals(sde, start, end, basis, few))
    return weights


def _turned_weights(
    sde: LinearSDE, start: float, end: float, nodes: np.ndarray, basis: Basis
) -> np.ndarray:
    """Weights of eps that interpolate the eps of the Cholesky factor."""

    def turned(inside: np.ndarray, flow: np.ndarray) -> np.ndarray:
        pieces = stieltjes(np.eye(len(inside)), flow) @ transpose(cholesky_turn(sde, inside))
        return np.tensordot(basis(inside), pieces, axes=(1, 0))

    weights = [turned(inside, flow) for inside, flow in _panels(sde, start, end, end)]
    return np.add.reduce(weights) @ cholesky_turn(sde, nodes)


def flow_integrals(
    sde: LinearSDE, start: float, end: float, basis: Basis, few: Flow | None = None
) -> np.ndarray:
    """`int l_j(tau) dY(tau)` from `start` to `end`, `Y = Psi(end, tau) R(tau)`, for each `l_j`.

    Args:
      sde: the diffusion.
      start: s, the time of the state.
      end: t, the time of the result.
      basis: the functions `l_j`, from times `[m]` to `[n, m]`.
      few: None, or Y at a few times of the step, where it is known.

    Returns:
      `[n, *modes, k, k]`, float64.
    """
    inside, flow = few or next(_few_flows(sde, np.array([start]), np.array([end])))
    values = basis(inside)
    if is_resolved(flow) and is_resolved(values.T):
        return stieltjes(values, flow)
    panels = _panels(sde, start, end, end)
    return np.add.reduce([stieltjes(basis(inside), flow) for inside, flow in panels])


def noise_pull(sde: LinearSDE, t: Times) -> np.ndarray:
    """`G (R^{-1} G)^T`, which makes `-G G^T s` of eps because `s = -R^{-T} eps`.

    Args:
      sde: the diffusion.
      t: times with noise, any shape.

    Returns:
      `[*times, *modes, k, k]`, float64.
    """
    diffusion = sde.diffusion(t)
    return diffusion @ transpose(np.linalg.solve(sde.root(t), diffusion))


def lagrange(nodes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The Lagrange polynomials of `nodes` at `points`, `[len(nodes), len(points)]`."""
    basis = np.ones((len(nodes), len(points)))
    for j, node in enumerate(nodes):
        for m, other in enumerate(nodes):
            if m != j:
                basis[j] *= (points - other) / (node - other)
    return basis


def cholesky_turn(sde: LinearSDE, t: np.ndarray) -> np.ndarray:
    """The orthogonal `Q = L^{-1} R`, for which `eps_L = Q eps`, `[*times, *modes, k, k]`."""
    return np.linalg.solve(sde.cholesky(t), sde.root(t))


def chunks(sde: LinearSDE, steps: int) -> list[np.ndarray]:
    """The numbers of steps, in groups whose integrands stay in the processor's cache together."""
    size = FEW_NODES * math.prod(sde.modes) * sde.components**2
    return np.array_split(np.arange(steps), -(-steps * size // _CHUNK))


def _few_flows(sde: LinearSDE, starts: np.ndarray, ends: np.ndarray) -> Iterator[Flow]:
    """Of each step a few times and `Y = Psi(end, tau) R(tau)` there, of many steps at once."""
    for chunk in chunks(sde, len(starts)):
        inside = sde.quadrature_times(starts[chunk], ends[chunk], FEW_NODES)
        yield from zip(inside, _flow(sde, ends[chunk, None], inside), strict=True)


def _flow(sde: LinearSDE, target: Times, tau: np.ndarray) -> np.ndarray:
    """`Y = Psi(target, tau) R(tau)`, `[*times, *modes, k, k]`."""
    return product(sde.transition(target, tau), sde.root(tau))


def _panels(
    sde: LinearSDE, start: float, end: float, target: float, depth: int = 0
) -> Iterator[Flow]:
    """Times and values of `Y = Psi(target, tau) R(tau)`, on as many panels as it needs."""
    inside = sde.quadrature_times(start, end)
    flow = _flow(sde, target, inside)
    if depth == _HALVINGS or is_resolved(flow):
        yield inside, flow
        return
    half = 0.5 * (inside[len(inside) // 2 - 1] + inside[len(inside) // 2])
    yield from _panels(sde, start, half, target, depth + 1)
    yield from _panels(sde, half, end, target, depth + 1)
