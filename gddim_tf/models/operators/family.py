"""The usual measurements: known pixels, fewer pixels, grey, blurred."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.checks import real, whole
from gddim_tf.models.operators.linear_operator import LinearOperator, column
from gddim_tf.numerics.dct import dct, inverse_dct

# Of a blur: what it leaves less of than this is taken to be lost, because rounding would fill it.
_LOST = 1e-3


class Mask(LinearOperator):
    """Known pixels: `y = m x`.

    Args:
      mask: 1 or True where a pixel is known, 0 elsewhere; `[height, width]`, `[height, width, 1]`
        or `[height, width, C]`, or one per image with the batch before.

    Raises:
      ValueError: if there is another number in it.

    Examples:
      >>> Mask([[1, 0]]).apply(tf.ones([1, 1, 2, 1])).numpy().ravel()
      array([1., 0.], dtype=float32)
    """

    def __init__(self, mask: ArrayLike) -> None:
        mask = check_mask(mask)
        self._mask = mask[..., None] if mask.ndim == 2 else mask

    def apply(self, images: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`; raises `ValueError` if the images are of another size."""
        sides = zip(self._mask.shape[-3:], images.shape[-3:], strict=True)
        if not all(own in (1, side) for own, side in sides):
            raise ValueError(
                f"`mask` must be of the size of the images, {tuple(images.shape[-3:])}, received "
                f"{self._mask.shape}"
            )
        return images * tf.constant(self._mask, images.dtype)

    def inverse(self, values: tf.Tensor, ridge: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`."""
        return self.apply(values) / (1 + column(ridge, values))


class Downsample(LinearOperator):
    """The means of squares of pixels, an image `factor` times smaller.

    Args:
      factor: pixels a side of a square; it must divide the sides of the images.

    Examples:
      >>> Downsample(2).inverse(tf.ones([1, 3, 3, 1]), tf.zeros([1])).shape
      TensorShape([1, 6, 6, 1])
    """

    def __init__(self, factor: int) -> None:
        self._factor = whole("factor", factor, 1)

    def apply(self, images: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`; raises `ValueError` if the sides are no multiples."""
        if images.shape[1] % self._factor or images.shape[2] % self._factor:
            raise ValueError(
                f"`factor` must divide the sides of the images, {images.shape[1:3]}, received "
                f"{self._factor}"
            )
        return tf.nn.avg_pool2d(images, self._factor, self._factor, "VALID")

    def inverse(self, values: tf.Tensor, ridge: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`; `A A^T = 1 / factor^2`."""
        shrunk = values / (1 + self._factor**2 * column(ridge, values))
        return tf.repeat(tf.repeat(shrunk, self._factor, axis=1), self._factor, axis=2)


class Grey(LinearOperator):
    """One grey channel of several, `y = sum_c w_c x_c`.

    Args:
      weights: of the channels; by default those of television for red, green and blue (BT.601).

    Raises:
      ValueError: if there is none but 0.

    Examples:
      >>> Grey().apply(tf.ones([1, 8, 8, 3])).shape
      TensorShape([1, 8, 8, 1])
    """

    def __init__(self, weights: tuple[float, ...] = (0.299, 0.587, 0.114)) -> None:
        given = np.asarray(weights)
        if given.dtype.kind not in "iuf" or given.ndim != 1 or not np.any(given):
            raise ValueError(f"`weights` must be one per channel, received {weights}")
        self._weights = given.astype(np.float64)
        if not np.all(np.isfinite(self._weights)):
            raise ValueError(f"`weights` must be finite, received {weights}")

    def apply(self, images: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`; raises `ValueError` if there are more or fewer channels."""
        if images.shape[-1] != len(self._weights):
            raise ValueError(
                f"`weights` must be one for each of {images.shape[-1]} channels, received "
                f"{len(self._weights)}"
            )
        weights = tf.constant(self._weights, images.dtype)
        return tf.reduce_sum(images * weights, axis=-1, keepdims=True)

    def inverse(self, values: tf.Tensor, ridge: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`."""
        square = float(np.sum(self._weights**2))
        return values * tf.constant(self._weights, values.dtype) / (square + column(ridge, values))


class Blur(LinearOperator):
    """A Gaussian blur that reflects at the borders: a factor for each frequency of the cosines.

    `exp(-lambda sigma^2 / 2)` with `lambda = pi^2 (k^2 / H^2 + l^2 / W^2)`, the blur of `sdes.BDM`.
    A frequency of which less than 1e-3 is left is lost.

    Args:
      sigma: in pixels, at least 0.

    Examples:
      >>> Blur(2.0).apply(tf.ones([1, 8, 8, 3])).shape
      TensorShape([1, 8, 8, 3])
    """

    def __init__(self, sigma: float) -> None:
        self._sigma = real("sigma", sigma, 0.0)

    def _factors(self, values: tf.Tensor) -> tuple[tf.Tensor, tuple[int, int]]:
        height, width = values.shape[1:3]
        rows, columns = np.arange(height)[:, None] / height, np.arange(width)[None] / width
        factors = np.exp(-0.5 * (np.pi * self._sigma) ** 2 * (rows**2 + columns**2))
        factors = np.where(factors < _LOST, 0.0, factors)[..., None]
        return tf.constant(factors, values.dtype), (height, width)

    def apply(self, images: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`."""
        factors, size = self._factors(images)
        return inverse_dct(factors * dct(images, size), size)

    def inverse(self, values: tf.Tensor, ridge: tf.Tensor) -> tf.Tensor:
        """See `LinearOperator`."""
        factors, size = self._factors(values)
        weights = tf.math.divide_no_nan(factors, factors**2 + column(ridge, values))
        return inverse_dct(weights * dct(values, size), size)


def check_mask(mask: ArrayLike) -> np.ndarray:
    """A mask as float32.

    Raises:
      ValueError: if it holds anything but 0 and 1, or has not two to four axes.
    """
    try:
        given = np.asarray(mask)
    except ValueError:  # rows of several lengths
        raise ValueError(f"`mask` must be an array, received {type(mask).__name__}") from None
    numbers = given.dtype.kind in "buif"
    if given.ndim in (2, 3, 4) and numbers and np.isin(given, (0, 1)).all():
        return given.astype(np.float32)
    told = f"{given.dtype.name} of shape {given.shape}"
    if numbers and given.size:
        told += f", values from {given.min():g} to {given.max():g}"
    raise ValueError(f"`mask` must hold 1 for known pixels and 0 for others, received {told}")
