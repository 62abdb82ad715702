"""Features of any picture without a trained network: fixed random convolutions, pooled."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.data.pixels import from_uint8

_SCALES = 3
_KERNEL = 5
_CELLS = 2
_SMALLEST = 8
# Of a response: what is weaker counts as nothing. Pixels are in [-1, 1].
_FAINT = 0.05


class RandomFeatures:
    """How much random convolutions find in the cells of a picture, at three scales.

    The picture is halved twice. At each scale random filters that see no constant look at it, and a
    second layer of them at the absolute values of the first. The features are `log(0.05 + m)` of
    the mean absolute values m of both in each of 2 x 2 cells, besides the mean colours of the
    cells. Without the logarithm a little noise in a plain picture would hardly be seen.

    Nothing is trained and no file is needed, for any size and for grey and coloured pictures. A
    distance in these features is about colours, edges and textures and where they are, not about
    what a picture shows: it is **not** the Frechet Inception distance, and no published number can
    be compared with it. `benchmarks/feature_orders.py` shows what it tells apart.

    The filters come from NumPy's `RandomState`, whose streams never change.

    Source of the idea: Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative
    models", which looks at images with an untrained network.

    Args:
        width: filters of each layer.

    Attributes:
        name: with the numbers that the features depend on.
        dimension: number of features.
        resize: "none".
    """

    resize = "none"

    def __init__(self, width: int = 16) -> None:
        self.name = f"random-convolutions-{width}"
        self.dimension = _SCALES * _CELLS**2 * (3 + 2 * width)
        random = np.random.RandomState(0)
        self._layers = _filters(random, 3, width), _filters(random, width, width)
        self._features = tf.function(
            self._cells_of_all, [tf.TensorSpec([None, None, None, None], tf.uint8)]
        )

    def __call__(self, images: ArrayLike) -> np.ndarray:
        """Features of images.

        Args:
            images: uint8 [batch, height, width, 1 or 3].

        Returns:
            float32 [batch, dimension].

        Raises:
            TypeError: if the images are not uint8.
            ValueError: if their shape is another.
        """
        tensor = tf.convert_to_tensor(images)
        if tensor.dtype != tf.uint8:
            raise TypeError(f"`images` must be uint8, received {tensor.dtype.name}")
        if len(tensor.shape) != 4 or tensor.shape[-1] not in (1, 3):
            raise ValueError(
                "`images` must have shape [batch, height, width, 1 or 3], "
                f"received {tuple(tensor.shape)}"
            )
        return self._features(tensor).numpy()

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
