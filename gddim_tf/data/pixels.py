"""Pixels: between uint8 and [-1, 1], and from any rectangle to the size that is asked for."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike


def to_uint8(images: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Turn images in [-1, 1] into 8-bit ones: `round(clip(127.5 (x + 1), 0, 255))`.

    Args:
      images: floating point images of any shape; values outside [-1, 1] are clipped.

    Returns:
      uint8 tensor of the same shape.

    Raises:
      TypeError: if `images` are not floating point.
    """
    values = tf.convert_to_tensor(images)
    if not values.dtype.is_floating:
        raise TypeError(f"`images` must be floating point in [-1, 1], received {values.dtype.name}")
    levels = tf.clip_by_value((values + 1) * 127.5, 0, 255)
    return tf.cast(tf.round(levels), tf.uint8)


def as_uint8(images: ArrayLike, name: str = "images") -> np.ndarray:
    """Images as bytes, checked.

    Args:
      images: any shape, floating point in [-1, 1] (values outside are clipped), or uint8, which
        comes back unchanged.
      name: what the argument is called in error messages.

    Raises:
      TypeError: for another integer type, whose range would be a guess.
      ValueError: for NaN or infinite pixels.
    """
    values = tf.convert_to_tensor(images)
    if values.dtype == tf.uint8:
        return values.numpy()
    if not values.dtype.is_floating:
        raise TypeError(
            f"`{name}` must be uint8, or floating point in [-1, 1], received {values.dtype.name}"
        )
    bad = int(tf.math.count_nonzero(~tf.math.is_finite(values)))
    if bad:
        raise ValueError(
            f"`{name}` must be finite, received NaN or infinity in {bad} pixels of shape "
            f"{values.shape}"
        )
    return to_uint8(values).numpy()


def from_uint8(images: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Turn 8-bit images into float32 ones in [-1, 1]: `x / 127.5 - 1`.

    `to_uint8` takes every result back to the level it came from.

    Args:
      images: uint8 images of any shape.

    Returns:
      float32 tensor of the same shape.

    Raises:
      TypeError: if `images` are not uint8.
    """
    images = tf.convert_to_tensor(images)
    if images.dtype != tf.uint8:
        raise TypeError(f"`images` must be uint8, received {images.dtype.name}")
    return tf.cast(images, tf.float32) / 127.5 - 1


def fit_to(
    image: tf.Tensor, size: int | tuple[int, int], box: tuple[int, int, int, int] | None
) -> tf.Tensor:
    """Cut a part out of one uint8 image and bring it to a size.

    The filter is bilinear, widened to the scale when the image shrinks (antialiased): that of the
    DDIM and score-SDE pipelines, and of `PIL.Image.BILINEAR`.

    Args:
      image: uint8 [height, width, channels].
      size: of the result in pixels, its side or (rows, columns).
      box: (top, left, height, width) of the part to keep; None keeps the largest centred part whose
        sides are as those of `size`.

    Returns:
      uint8 [rows, columns, channels].
    """
    rows, columns = (size, size) if isinstance(size, int) else size
    if box is None and image.shape[:2] == (rows, columns):
        return image
    if box is None:
        height, width = tf.unstack(tf.shape(image)[:2])
        wide = tf.maximum(tf.minimum(width, height * columns // rows), 1)
        tall = tf.maximum(tf.minimum(height, width * rows // columns), 1)
        box = ((height - tall) // 2, (width - wide) // 2, tall, wide)
    top, left, height, width = box
    part = image[top : top + height, left : left + width]
    resized = tf.image.resize(part, (rows, columns), antialias=True)
    return tf.cast(tf.round(resized), tf.uint8)
