"""A linear diffusion solved on panels of time: local transitions, noise and rotations, chained.

On each panel, short enough that the transition over it stays near the identity, three functions of
time are smooth and are kept at Gauss-Legendre nodes: the transition from the panel's start, the
mean noise pulled back to its start, and the rotation of the root. Everything is a product of
these, so that nothing loses relative accuracy, however small the transition from t = 0 becomes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from gddim_tf.numerics.linalg import transpose
from gddim_tf.numerics.ode import constant_transitions, transitions
from gddim_tf.numerics.quadrature import (
    coefficient_matrix,
    integration_matrix,
    interpolation_matrix,
    legendre,
    solve_at_nodes,
)

MatrixFunction = Callable[[np.ndarray], np.ndarray]

_NODES = 24
# Panels double in length from t_max / 2^46 on: the root may turn on any scale near t = 0.
_OCTAVES = 46
_LONGEST = 1.0  # the integral of |F| over a panel
_HALVINGS = 14
_RESOLVED = 1e-11


@dataclasses.dataclass(frozen=True)
class Panels:
    """The solution; the last entry along the axis of the nodes is the end of the panel.

    Attributes:
      edges: `[panels + 1]`, from 0 to `t_max`.
      transition: `Psi(t, start)`, `[panels, nodes + 1, *modes, k, k]`.
      noise: `1 / (t - start) int Psi(tau, start)^{-1} G G^T Psi(tau, start)^{-T} dtau` from the
        start to t, of the same shape.
      rotation: `Q(t) Q(start)^{-1}`, of the same shape, where `R = L Q`.
      edge_covariance: `Sigma` at the edges, `[panels + 1, *modes, k, k]`.
      edge_rotation: `Q` at the edges, `[panels + 1, *modes, k, k]`.
    """

    edges: np.ndarray
    transition: np.ndarray
    noise: np.ndarray
    rotation: np.ndarray
    edge_covariance: np.ndarray
    edge_rotation: np.ndarray

    def psi(self, t: np.ndarray, s: np.ndarray) -> np.ndarray:
        """`Psi(t, s)`, `[n, *modes, k, k]`, for times `[n]`."""
        to, arrival = self._local(self.transition, t)
        since, departure = self._local(self.transition, s)
        forward = self._between(np.minimum(to, since), np.maximum(to, since))
        hop = forward.copy()
        hop[to < since] = np.linalg.inv(forward[to < since])
        return arrival @ hop @ np.linalg.inv(departure)

    def sigma(self, t: np.ndarray) -> np.ndarray:
        """`Sigma(t)`, `[n, *modes, k, k]`, for times `[n]`."""
        panel, transition = self._local(self.transition, t)
        _, noise = self._local(self.noise, t)
        elapsed = (t - self.edges[panel]).reshape(-1, *(1,) * (noise.ndim - 1))
        return propagate(transition, self.edge_covariance[panel] + elapsed * noise)

    def q(self, t: np.ndarray) -> np.ndarray:
        """`Q(t)`, `[n, *modes, k, k]`, for times `[n]`."""
        panel, rotation = self._local(self.rotation, t)
        return rotation @ self.edge_rotation[panel]

    def unresolved(self) -> np.ndarray:
        """Which panels, `[panels]`, are too long for a polynomial through their nodes.

        Never the first: it is too short to matter, and F or G may start like `sqrt(t)`.
        """
        wrong = np.zeros(len(self.edges) - 1, bool)
        for values in (self.transition, self.noise, self.rotation):
            tail, size = _tail(values[:, :-1])
            wrong |= ~(tail <= _RESOLVED * size)
        wrong[0] = False
        return wrong

    def _local(self, values: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The panel of each time, and the values of a panel function there."""
        panel = np.clip(np.searchsorted(self.edges, t, side="right") - 1, 0, len(values) - 1)
        start, end = self.edges[panel], self.edges[panel + 1]
        weights = interpolation_matrix(2 * (t - start) / (end - start) - 1, _NODES)
        result = np.empty((len(t), *values.shape[2:]))
        for index in np.unique(panel):
            chosen = panel == index
            result[chosen] = np.tensordot(weights[chosen], values[index, :-1], axes=(1, 0))
        return panel, result

    def _between(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """`Psi(edges[high], edges[low])` for panels `low <= high`, `[n, *modes, k, k]`."""
        shape = self.transition.shape[2:]
        result = np.empty((len(low), *shape))
        for first in np.unique(low):
            product = np.broadcast_to(np.eye(shape[-1]), shape)
            for panel in range(first, high[low == first].max() + 1):
                result[(low == first) & (high == panel)] = product
                product = self.transition[panel, -1] @ product
        return result


def solve_panels(
    drift: MatrixFunction | np.ndarray,
    diffusion: MatrixFunction,
    initial_covariance: np.ndarray,
    t_max: float,
) -> Panels:
    """Solve a diffusion from 0 to `t_max`, halving panels until every one is resolved.

    Args:
      drift: F, from times `[n]` to `[n, *modes, k, k]`, or a constant matrix `[*modes, k, k]`.
      diffusion: G, from times `[n]` to `[n, *modes, k, k]`.
      initial_covariance: `[*modes, k, k]`, positive definite unless k = 1.
      t_max: the last time.

    Returns:
      The panels, with everything at 1e-11 or better.

    Raises:
      ValueError: if some panel is not resolved however short, because F or G jumps.
    """
    edges = t_max * np.concatenate([[0.0], 0.5 ** np.arange(_OCTAVES, -1.0, -1.0)])
    for _ in range(_HALVINGS):
        long = _too_long(drift, diffusion, edges)
        if not long.any():
            panels = _solve(drift, diffusion, initial_covariance, edges)
            long = panels.unresolved()
            if not long.any():
                return panels
        first = edges[:-1][long][0]
        edges = np.sort(np.concatenate([edges, 0.5 * (edges[:-1] + edges[1:])[long]]))
    raise ValueError(
        "`drift` and `diffusion` must be smooth and bounded functions of time, computed in "
        f"float64, received ones that no polynomial resolves near t = {first:.6g}"
    )


def propagate(transition: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """`Psi Sigma Psi^T`."""
    return transition @ covariance @ transpose(transition)


def _too_long(
    drift: MatrixFunction | np.ndarray, diffusion: MatrixFunction, edges: np.ndarray
) -> np.ndarray:
    """Which panels must be halved for what F and G are on them, `[panels]`; see `unresolved`."""
    width = np.diff(edges)
    matrices = _at_nodes(drift, edges)
    rows, columns = (np.abs(matrices).sum(axis=axis) for axis in (-1, -2))
    norm = np.maximum(rows, columns).reshape(len(width), _NODES, -1).max(axis=-1)
    _, w, _ = legendre(_NODES)
    strength = 0.5 * width * (norm @ w)
    root = _at_nodes(diffusion, edges)
    tail, size = _tail(root @ transpose(root))
    wrong = ~(tail <= _RESOLVED * size) | ~(width * _tail(matrices)[0] <= _RESOLVED)
    wrong[0] = False
    return wrong | (strength > _LONGEST)


def _tail(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last Legendre coefficients of functions `[panels, nodes, ...]`, and their size."""
    values = values.reshape(*values.shape[:2], -1)
    last = np.einsum("ab,pbm->pam", coefficient_matrix(_NODES)[-2:], values)
    return np.abs(last).max(axis=(1, 2)), np.abs(values).max(axis=(1, 2))


def _times(edges: np.ndarray) -> np.ndarray:
    x, _, _ = legendre(_NODES)
    return edges[:-1, None] + np.diff(edges)[:, None] * 0.5 * (x + 1)


def _at_nodes(given: MatrixFunction | np.ndarray, edges: np.ndarray) -> np.ndarray:
    """F or G at the nodes of every panel, `[panels, nodes, *modes, k, k]`."""
    shape = (len(edges) - 1, _NODES)
    if not callable(given):
        return np.broadcast_to(given, (*shape, *given.shape))
    values = given(_times(edges).ravel())
    return values.reshape(*shape, *values.shape[1:])


def _solve(
    drift: MatrixFunction | np.ndarray,
    diffusion: MatrixFunction,
    initial_covariance: np.ndarray,
    edges: np.ndarray,
) -> Panels:
    x, w, _ = legendre(_NODES)
    parts = np.append(0.5 * (x + 1), 1.0)
    width = np.diff(edges)
    if callable(drift):
        transition = transitions(drift, edges[:-1], edges[1:], parts)
    else:
        transition = constant_transitions(drift, width[:, None] * parts)
    root = _at_nodes(diffusion, edges)
    pulled = np.linalg.solve(transition[:, :-1], root)
    mean = np.concatenate([integration_matrix(_NODES), w[None]]) / (2 * parts[:, None])
    noise = np.moveaxis(np.tensordot(mean, pulled @ transpose(pulled), axes=(1, 1)), 0, 1)
    edge_covariance = [initial_covariance]
    for panel, step in enumerate(transition[:, -1]):
        gained = edge_covariance[-1] + width[panel] * noise[panel, -1]
        edge_covariance.append(propagate(step, gained))
    still = np.broadcast_to(np.eye(noise.shape[-1]), noise.shape)
    panels = Panels(edges, transition, noise, still, np.stack(edge_covariance), still[:, 0])
    if noise.shape[-1] == 1:
        return panels
    return _with_rotation(panels, _at_nodes(drift, edges), root)


def _with_rotation(panels: Panels, drift: np.ndarray, root: np.ndarray) -> Panels:
    """Add the rotation, by collocation on each panel.

    With `A = L^{-1} (F + 1/2 G G^T Sigma^{-1}) L`, `R = L Q` obeys its equation if
    `Q' = (A - L^{-1} L') Q`. `L^{-1} L'` is lower triangular and the whole is skew, so it is the
    skew matrix that has the entries of A above the diagonal.
    """
    rotation = np.array(panels.rotation)
    edge_rotation = [rotation[0, 0]]
    times, width = _times(panels.edges), np.diff(panels.edges)
    for panel in range(len(width)):
        factor = np.linalg.cholesky(panels.sigma(times[panel]))
        half = np.linalg.solve(factor, root[panel])
        upper = np.linalg.solve(factor, drift[panel] @ factor) + 0.5 * half @ transpose(half)
        upper = np.triu(upper, 1)
        rate = 0.5 * width[panel] * np.moveaxis(upper - transpose(upper), 0, -3)
        inside, last = solve_at_nodes(rate)
        rotation[panel, :-1], rotation[panel, -1] = np.moveaxis(inside, -3, 0), last
        edge_rotation.append(last @ edge_rotation[-1])
    return dataclasses.replace(panels, rotation=rotation, edge_rotation=np.stack(edge_rotation))
