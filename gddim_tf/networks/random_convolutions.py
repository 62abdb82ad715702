"""Fixed random convolutions of pictures, pooled: a network that nobody trained."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_SCALES = 3
_KERNEL = 5
_CELLS = 2
_SMALLEST = 8
# Of a response: what is weaker counts as nothing. Pixels are in [-1, 1].
_FAINT = 0.05


class RandomConvolutions:
    """How much random filters find in the cells of a picture, at three scales.

    The picture is halved twice. At each scale random filters that see no constant look at it, and a
    second layer of them at the absolute values of the first. The features are `log(0.05 + m)` of
    the mean absolute values m of both in each of 2 x 2 cells, besides the mean colours of the
    cells. Without the logarithm a little noise in a plain picture would hardly be seen.

    The filters come from NumPy's `RandomState`, whose streams never change.

    Args:
      width: filters of each layer.

    Examples:
      >>> RandomConvolutions(width=4)(tf.zeros([2, 16, 8, 1])).shape
      TensorShape([2, 132])
    """

    def __init__(self, width: int) -> None:
        random = np.random.RandomState(0)
        self._layers = _filters(random, 3, width), _filters(random, width, width)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Features `[batch, dimension]` of images `[batch, height, width, 1 or 3]` in [-1, 1]."""
        picture = tf.ensure_shape(images * tf.ones([3]), [None, None, None, 3])
        size = tf.maximum(tf.shape(picture)[1:3], _SMALLEST)
        picture = tf.image.resize(picture, size, "nearest")  # only what is smaller is changed
        cells = []
        for scale in range(_SCALES):
            if scale:
                picture = tf.nn.avg_pool2d(picture, 2, 2, "SAME")
            seen = picture
            cells.append(_cell_means(seen))
            for filters in self._layers:
                seen = _absolute_response(seen, filters)
                cells.append(tf.math.log(_FAINT + _cell_means(seen)))
        return tf.concat(cells, axis=-1)


def _filters(random: np.random.RandomState, inputs: int, outputs: int) -> tf.Tensor:
    """Filters `[height, width, inputs, outputs]` of norm 1 that see no constant."""
    filters = random.standard_normal((_KERNEL, _KERNEL, inputs, outputs))
    filters -= filters.mean(axis=(0, 1))
    filters /= np.sqrt(np.square(filters).sum(axis=(0, 1, 2)))
    return tf.constant(filters, tf.float32)


def _absolute_response(images: tf.Tensor, filters: tf.Tensor) -> tf.Tensor:
    half = _KERNEL // 2
    framed = tf.pad(images, [[0, 0], [half, half], [half, half], [0, 0]], "SYMMETRIC")
    return tf.abs(tf.nn.conv2d(framed, filters, 1, "VALID"))


def _cell_means(images: tf.Tensor) -> tf.Tensor:
    """Means of the channels in each cell, `[batch, cells * channels]`."""
    means = tf.image.resize(images, (_CELLS, _CELLS), "area")
    return tf.reshape(means, [-1, _CELLS**2 * images.shape[-1]])
