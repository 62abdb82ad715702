"""The inverse of an increasing function of time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# The smallest time that is looked at, as a logarithm, and how often the interval is halved.
_FIRST, _HALVINGS = -700.0, 64


def inverse_of_increasing(
    function: Callable[[np.ndarray], np.ndarray], values: float | np.ndarray, last: float
) -> np.ndarray:
    """Where in [0, last] a function has some values, by bisection in log t.

    Args:
      function: increasing, from times to numbers of the same shape.
      values: of the function; those not above 0 are taken to be at 0.
      last: the latest time.

    Examples:
      >>> inverse_of_increasing(np.square, np.array([0.0, 4.0]), 10.0).round(6).tolist()
      [0.0, 2.0]
    """
    values = np.asarray(values, np.float64)
    low, high = np.full(values.shape, _FIRST), np.full(values.shape, np.log(last))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        above = function(np.exp(middle)) > values
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(values > 0, np.exp(0.5 * (low + high)), 0.0)
