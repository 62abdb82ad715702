"""From discrete grey levels to numbers that have a density."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from gddim_tf.numerics.image_noise import uniform_per_image


def dequantise(images: np.ndarray, seeds: tf.Tensor, levels: int = 256) -> tf.Tensor:
    """`2 (v + U) / levels - 1` for the grey level `v = 0, ..., levels - 1` and U uniform in [0, 1).

    A level becomes an interval of width `2 / levels`, so that by Jensen's inequality
    `log P(v) >= E_U log p(x) + d log(2 / levels)` for d pixels: this is the log-determinant that a
    likelihood of the discrete image has to add (Theis et al., 2016; `levels = 256` in Score-SDE).

    Args:
      images: uint8 `[batch, height, width, C]`; level v is stored as `round(255 v / (levels - 1))`,
        which for 256 levels is v itself.
      seeds: `[batch, 2]` int32; the noise of image i depends on `seeds[i]` alone.
      levels: how many grey levels the data have.

    Returns:
      Images of the same shape, float64, in [-1, 1).

    Raises:
      TypeError: if `images` are not uint8.
      ValueError: if `levels` is not in [2, 256], or a value is not one of the levels.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise TypeError(f"`images` must be uint8, received {images.dtype.name}")
    if not 2 <= levels <= 256:
        raise ValueError(f"`levels` must be in [2, 256], received {levels}")
    stored = np.rint(np.arange(levels) * (255 / (levels - 1))).astype(np.uint8)
    level = np.rint(images * ((levels - 1) / 255)).astype(np.int64)
    strange = images[stored[level] != images]
    if strange.size:
        raise ValueError(
            f"`levels` must be the number of grey levels of the images: of {levels} none is stored "
            f"as {strange[0]}"
        )
    noise = uniform_per_image(seeds, images.shape[1:], tf.float64)
    return 2 * (tf.constant(level, tf.float64) + noise) / levels - 1
