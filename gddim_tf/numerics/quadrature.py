"""Spectral collocation: linear matrix equations and weighted integrals of smooth functions.

All of it on Gauss-Legendre nodes of an interval in `t^(1/4)`, a variable in which the transitions
and roots of every diffusion here are smooth up to t = 0, so that a few dozen nodes give rounding
accuracy where a step-by-step integration would need thousands.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

NODES = 64

# What resolves most functions over a short step, at a quarter of the price; see `is_resolved`.
FEW_NODES = 16

# Share of a function's size below which its last Legendre coefficients count as rounding.
_RESOLVED = 1e-12


@functools.cache
def legendre(nodes: int = NODES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes, weights and differentiation matrix on [-1, 1].

    The derivative of the interpolant at node a is `sum_b D[a, b] y[b]`, with the barycentric
    weights `(-1)^b sqrt((1 - x_b^2) w_b)` (Wang and Xiang, 2012).
    """
    x, w = np.polynomial.legendre.leggauss(nodes)
    barycentric = (-1.0) ** np.arange(nodes) * np.sqrt((1 - x**2) * w)
    difference = x[:, None] - x[None, :] + np.eye(nodes)
    derivative = barycentric[None, :] / barycentric[:, None] / difference
    np.fill_diagonal(derivative, 0.0)
    np.fill_diagonal(derivative, -derivative.sum(axis=1))
    return x, w, derivative


def interval_times(
    start: float | np.ndarray, end: float | np.ndarray, nodes: int = NODES
) -> np.ndarray:
    """Times of the nodes between `start` and `end`, `[*times, nodes]`, exactly inside."""
    x, _, _ = legendre(nodes)
    low, high = (np.asarray(t, np.float64)[..., None] ** 0.25 for t in (start, end))
    return (low + (high - low) * 0.5 * (x + 1)) ** 4


def stieltjes(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`int weight(t) d values(t)` over an interval, from values at its Gauss-Legendre nodes.

    The nodes may lie in any variable in which the values are smooth: the integral does not see it.

    Args:
      weights: `[n, nodes]`, several weight functions at once.
      values: `[nodes, ...]`.

    Returns:
      `[n, ...]`.
    """
    _, w, derivative = legendre(len(values))
    return np.tensordot((weights * w) @ derivative, values, axes=(1, 0))


def is_resolved(values: np.ndarray) -> bool:
    """Whether the interpolant of values at the Gauss-Legendre nodes is exact to rounding.

    The highest coefficients of its Legendre series must have died out in every entry.

    Args:
      values: `[nodes, ...]`.
    """
    values = values.reshape(len(values), -1)
    tail = np.abs(coefficient_matrix(len(values))[-4:] @ values).max(axis=0)
    return bool(np.all(tail <= _RESOLVED * np.abs(values).max(axis=0)))


def solve_linear_ode(
    generator: Callable[[np.ndarray], np.ndarray], start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """`X(end)` for `dX/dt = A(t) X`, `X(start) = I`, on each interval.

    The polynomial that satisfies the equation at the nodes and X = I at the start is found from
    one linear system per interval and mode.

    Args:
      generator: A, from times `[m]` to `[m, *modes, k, k]`.
      start: `[n]`.
      end: `[n]`.

    Returns:
      `[n, *modes, k, k]`.
    """
    return np.stack(
        [_solve_interval(generator, s, t) for s, t in zip(start, end, strict=True)], axis=0
    )


def _solve_interval(
    generator: Callable[[np.ndarray], np.ndarray], start: float, end: float
) -> np.ndarray:
    x, _, _ = legendre()
    low, high = start**0.25, end**0.25
    slope = 2.0 * (high - low) * (low + (high - low) * 0.5 * (x + 1)) ** 3  # dt/dx
    matrices = np.moveaxis(generator(interval_times(start, end)), 0, -3)
    return solve_at_nodes(matrices * slope[:, None, None])[1]


def solve_at_nodes(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`dX/dx = A(x) X`, `X(-1) = I` on [-1, 1], from A at the Gauss-Legendre nodes.

    Args:
      matrices: `[..., nodes, k, k]`.

    Returns:
      X at the nodes, `[..., nodes, k, k]`, and at 1, `[..., k, k]`.
    """
    n, k = matrices.shape[-3:-1]
    batch = matrices.shape[:-3]
    # X = I + J (A X), where J integrates the interpolant of the nodes from -1 to each node.
    coupling = np.einsum("ab,...bij->...aibj", integration_matrix(n), matrices)
    system = np.eye(n * k) - coupling.reshape(*batch, n * k, n * k)
    identity = np.broadcast_to(np.tile(np.eye(k), (n, 1)), (*batch, n * k, k))
    inside = np.linalg.solve(system, identity).reshape(*batch, n, k, k)
    _, w, _ = legendre(n)
    return inside, np.eye(k) + np.einsum("b,...bij,...bjl->...il", w, matrices, inside)


@functools.cache
def integration_matrix(nodes: int = NODES) -> np.ndarray:
    """`J`, whose row a integrates the interpolant of the nodes from -1 to node a."""
    x, _, _ = legendre(nodes)
    antiderivatives = np.stack(
        [
            np.polynomial.legendre.legval(x, np.polynomial.legendre.legint(column, lbnd=-1))
            for column in np.eye(nodes)
        ],
        axis=1,
    )
    return antiderivatives @ coefficient_matrix(nodes)


@functools.cache
def coefficient_matrix(nodes: int = NODES) -> np.ndarray:
    """From values at the nodes to the Legendre coefficients of their interpolant."""
    x, w, _ = legendre(nodes)
    polynomials = np.polynomial.legendre.legvander(x, nodes - 1)
    return ((np.arange(nodes) + 0.5) * polynomials * w[:, None]).T


def interpolation_matrix(points: np.ndarray, nodes: int = NODES) -> np.ndarray:
    """From values at the nodes to those of their interpolant at points of [-1, 1], `[m, nodes]`.

    The barycentric formula, which is exact where a point is a node.
    """
    x, w, _ = legendre(nodes)
    barycentric = (-1.0) ** np.arange(nodes) * np.sqrt((1 - x**2) * w)
    difference = points[:, None] - x
    hit = np.abs(difference) < np.finfo(np.float64).tiny
    terms = barycentric / np.where(hit, 1.0, difference)
    terms = np.where(hit.any(axis=1, keepdims=True), hit, terms)
    return terms / terms.sum(axis=1, keepdims=True)
