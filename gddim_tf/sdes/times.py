"""Times, and the two ends of a diffusion's."""

from __future__ import annotations

import numpy as np

from gddim_tf.checks import finite

# One time, or an array of them.
Times = float | np.ndarray


def check_times(t_min: float, t_max: float) -> tuple[float, float]:
    """The two ends as floats.

    Raises:
      TypeError: if one is not a number.
      ValueError: unless `0 <= t_min < t_max`, both finite.
    """
    finite(t_min=t_min, t_max=t_max)
    if not 0 <= t_min < t_max:
        raise ValueError(
            f"`t_min` and `t_max` must satisfy 0 <= t_min < t_max, received {t_min} and {t_max}"
        )
    return float(t_min), float(t_max)
