"""Ways on a sphere."""

from __future__ import annotations

import numpy as np

# Where the sine of the angle is smaller, a and b are one direction, or opposite without a way.
_STRAIGHT = 1e-6


def between(first: np.ndarray, last: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """`(sin((1 - w) phi) a + sin(w phi) b) / sin phi`, phi the angle between a and b.

    Noise of many dimensions lies near a sphere, and a straight way would leave it. Shoemake (1985).

    Args:
      first: a, `[batch, ...]`.
      last: b, of the same shape.
      shares: w, `[steps]`, in [0, 1].

    Returns:
      `[steps, batch, ...]` float64.
    """
    a, b = (np.asarray(v, np.float64) for v in (first, last))
    axes = tuple(range(1, a.ndim))
    lengths = np.sqrt(np.sum(a**2, axes, keepdims=True) * np.sum(b**2, axes, keepdims=True))
    cosine = np.sum(a * b, axes, keepdims=True) / np.maximum(lengths, np.finfo(np.float64).tiny)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    straight = np.sin(angle) < _STRAIGHT
    sine = np.where(straight, 1.0, np.sin(angle))
    w = np.reshape(shares, (-1, *(1,) * a.ndim))
    left = np.where(straight, 1 - w, np.sin((1 - w) * angle) / sine)
    right = np.where(straight, w, np.sin(w * angle) / sine)
    return left * a + right * b
