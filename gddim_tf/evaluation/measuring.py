"""The Frechet distance for tables, which say themselves how few the images are."""

from __future__ import annotations

import warnings

import numpy as np

from gddim_tf.evaluation.distances import frechet_distance


def quiet_frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """`frechet_distance` without its warning on few images, of which a table has a line.

    Args:
      real: activations `[count, dimension]` of real images.
      fake: those of generated ones.

    Returns:
      The distance.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* are few for .* dimensions")
        return frechet_distance(real, fake)
