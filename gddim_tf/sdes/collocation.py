"""Spectral collocation: linear matrix equations and weighted integrals of smooth functions.

All of it on Gauss-Legendre nodes of an interval in `t^(1/4)`, a variable in which the transitions
and roots of every diffusion here are smooth up to t = 0, so that a few dozen nodes give rounding
accuracy where a step-by-step integration would need thousands.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

_NODES = 64


@functools.cache
def legendre(nodes: int = _NODES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def interval_times(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Times of the nodes between `start` and `end`, `[*times, nodes]`, exactly inside."""
    x, _, _ = legendre()
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
    _, w, derivative = legendre()
    return np.tensordot((weights * w) @ derivative, values, axes=(1, 0))


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
    x, w, _ = legendre()
    n = len(x)
    low, high = start**0.25, end**0.25
    slope = 2.0 * (high - low) * (low + (high - low) * 0.5 * (x + 1)) ** 3  # dt/dx
    matrices = np.moveaxis(generator(interval_times(start, end)), 0, -3)
    matrices = matrices * slope[:, None, None]  # [*modes, n, k, k]
    k = matrices.shape[-1]
    # X = I + J (A X), where J integrates the interpolant of the nodes from -1 to each node.
    integral = _integration_matrix()
    coupling = np.einsum("ab,...bij->...aibj", integral, matrices)
    system = np.eye(n * k) - coupling.reshape(*matrices.shape[:-3], n * k, n * k)
    identity = np.tile(np.eye(k), (n, 1))
    identity = np.broadcast_to(identity, (*matrices.shape[:-3], n * k, k))
    inside = np.linalg.solve(system, identity).reshape(*matrices.shape[:-3], n, k, k)
    return np.eye(k) + np.einsum("b,...bij,...bjl->...il", w, matrices, inside)


@functools.cache
def _integration_matrix() -> np.ndarray:
    x, _, _ = legendre()
    vandermonde = np.polynomial.legendre.legvander(x, len(x) - 1)
    antiderivatives = np.stack(
        [
            np.polynomial.legendre.legval(x, np.polynomial.legendre.legint(column, lbnd=-1))
            for column in np.eye(len(x))
        ],
        axis=1,
    )
    return antiderivatives @ np.linalg.inv(vandermonde)
