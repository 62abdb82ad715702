"""What `fit` is given: images and labels, checked where they enter the loss."""

from __future__ import annotations

import tensorflow as tf


def check_images(images: tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
    """Images for training, as float32.

    Args:
      images: `[batch, height, width, C]` in [-1, 1].
      shape: `(height, width, C)`, what the network takes.

    Returns:
      The images; running the graph fails where a pixel is NaN or infinite.

    Raises:
      ValueError: if the images are not float or not of this shape.
    """
    if not images.dtype.is_floating:
        raise ValueError(
            "training images must be float in [-1, 1] (data.from_uint8 makes them so), "
            f"received {images.dtype.name}"
        )
    if tuple(images.shape[1:]) != shape:
        raise ValueError(
            f"training images must be [batch, {', '.join(map(str, shape))}], "
            f"received {images.shape}"
        )
    message = "training images must be finite, received NaN or Inf"
    return tf.debugging.assert_all_finite(tf.cast(images, tf.float32), message)


def kept_labels(
    labels: tf.Tensor | None, keep: tf.Tensor | None, num_classes: int
) -> tf.Tensor | None:
    """Labels for the network, some of them replaced by the one that means no class.

    Args:
      labels: None, or classes `[batch]`.
      keep: None for all, or `[batch]` bool, which to keep.
      num_classes: of the network, 0 without.

    Returns:
      None without classes or labels, or `[batch]` int32.
    """
    if labels is None or not num_classes:
        return None
    labels = tf.cast(labels, tf.int32)
    return labels if keep is None else tf.where(keep, labels, num_classes)
