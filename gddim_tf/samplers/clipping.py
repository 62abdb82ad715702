"""What keeps a predicted image in the range of images: static clipping, dynamic thresholding."""

from __future__ import annotations

import dataclasses
import numbers

import numpy as np
import tensorflow as tf

from gddim_tf.checks import finite, positive


@dataclasses.dataclass(frozen=True)
class DynamicThreshold:
    """`x0 -> clip(x0, -s, s) / s` with s the `ratio` quantile of `|x0|` in the image, at least 1.

    Static clipping to [-1, 1] saturates pixels where guidance is strong; this scales the whole
    image back instead. Imagen (Saharia et al., 2022), section 2.3; diffusers' `thresholding`.

    Args:
      ratio: of the pixel values of an image, in (0, 1].
      largest: None, or the largest s (diffusers' `sample_max_value`, which is 1 by default, where
        this is static clipping).

    Raises:
      ValueError: if `ratio` is outside (0, 1] or `largest` is below 1.

    Examples:
      >>> from gddim_tf.samplers import DPMSolver
      >>> DPMSolver(clip=DynamicThreshold(0.995)).clip.ratio
      0.995
    """

    ratio: float = 0.995
    largest: float | None = None

    def __post_init__(self) -> None:
        finite(ratio=self.ratio, largest=1 if self.largest is None else self.largest)
        if not 0 < self.ratio <= 1:
            raise ValueError(f"`ratio` must be in (0, 1], received {self.ratio}")
        if self.largest is not None and not self.largest >= 1:
            raise ValueError(f"`largest` must be at least 1, received {self.largest}")

    def column(self) -> np.ndarray:
        """The ratio and the largest s, or what every s is below."""
        unlimited = np.finfo(np.float32).max
        return np.array([self.ratio, unlimited if self.largest is None else self.largest])


Clip = float | DynamicThreshold


def check_clip(clip: Clip | None) -> None:
    """Raises an error unless there is no bound, a positive one, or a `DynamicThreshold`."""
    if clip is None or isinstance(clip, DynamicThreshold):
        return
    if isinstance(clip, bool) or not isinstance(clip, numbers.Real):
        raise TypeError(f"`clip` must be a number or a DynamicThreshold, received {clip!r}")
    positive(clip=clip)


def dynamic_threshold(image: tf.Tensor, ratio: tf.Tensor, largest: tf.Tensor) -> tf.Tensor:
    """A predicted image in its range; see `DynamicThreshold`.

    Between two pixel values the quantile is interpolated linearly.

    Args:
      image: `[batch, ...]`, each with its own quantile.
      ratio: `[]`, in (0, 1].
      largest: `[]`, at least 1.

    Returns:
      Like `image`.
    """
    sizes = tf.sort(tf.reshape(tf.abs(image), [tf.shape(image)[0], -1]))
    place = tf.cast(ratio, image.dtype) * tf.cast(tf.shape(sizes)[1] - 1, image.dtype)
    below = tf.cast(tf.floor(place), tf.int32)
    above = tf.minimum(below + 1, tf.shape(sizes)[1] - 1)
    low, high = tf.gather(sizes, below, axis=1), tf.gather(sizes, above, axis=1)
    scale = low + (place - tf.floor(place)) * (high - low)
    scale = tf.minimum(tf.maximum(scale, 1), tf.cast(largest, image.dtype))
    scale = tf.reshape(scale, [-1] + [1] * (image.shape.rank - 1))
    return tf.clip_by_value(image, -scale, scale) / scale
