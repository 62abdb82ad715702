"""Features of any picture without a trained network: fixed random convolutions, pooled."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from gddim_tf.data.pixels import from_uint8
from gddim_tf.evaluation.extractor import ImageFeatures

_SCALES = 3
_KERNEL = 5
_CELLS = 2
_SMALLEST = 8
# Of a response: what is weaker counts as nothing. Pixels are in [-1, 1].
_FAINT = 0.05


class RandomFeatures(ImageFeatures):
    """How much random convolutions find in the cells of a picture, at three scales.

    The picture is halved twice. At each scale random filters that see no constant look at it, and a
    second layer of them at the absolute values of the first. The features are `log(0.05 + m)` of
    the mean absolute values m of both in each of 2 x 2 cells, besides the mean colours of the
    cells. Without the logarithm a little noise in a plain picture would hardly be seen.

    No file is needed, for any size, grey or coloured. A distance in these features is about
    colours, edges and textures and where they are, not about what a picture shows: it is **not**
    the Frechet Inception distance, and no published number can be compared with it.
    `benchmarks/feature_orders.py` shows what it tells apart. The filters come from NumPy's
    `RandomState`, whose streams never change.

    Source of the idea: Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative
    models", which looks at images with an untrained network.

    Args:
      width: filters of each layer.

    Examples:
      >>> RandomFeatures(width=4)(np.zeros((2, 16, 8, 1), np.uint8)).shape
      (2, 132)
    """

    def __init__(self, width: int = 16) -> None:
        random = np.random.RandomState(0)
        self._layers = _filters(random, 3, width), _filters(random, width, width)
        super().__init__(
            name=f"random-convolutions-{width}",
            resize="none",
            shapes=((None, None, 3), (None, None, 1)),
            network=lambda images: (self._cells_of_all(images),),
        )

    def _cells_of_all(self, images: tf.Tensor) -> tf.Tensor:
        picture = tf.ensure_shape(from_uint8(images) * tf.ones([3]), [None, None, None, 3])
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
