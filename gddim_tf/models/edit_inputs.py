"""What edits are given: images, masks, measurements, and what each of them must be."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.models.operators import LinearOperator
from gddim_tf.models.operators.family import check_mask
from gddim_tf.models.subject import Guidable
from gddim_tf.models.training_batch import check_images, check_kind


def checked_images(model: Guidable, images: ArrayLike, what: str) -> np.ndarray:
    """Images for a model, `[batch, height, width, C]` float32.

    Raises:
      ValueError: if they are not float, not of the model's shape, not in [-1, 1], or none.
    """
    return check_images(images, model.image_shape, what).numpy()


def known_images(
    model: Guidable, images: ArrayLike, mask: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Images of which some pixels are known, and a mask for each of them.

    Args:
      model: what they are for.
      images: `[batch, height, width, C]`, in [-1, 1] where they are known; elsewhere anything.
      mask: not 0 where a pixel is known, [height, width] or one for each image.

    Returns:
      The images and `[batch, height, width, 1 or C]`, both float32.

    Raises:
      ValueError: as `checked_images`, or if the mask does not fit.
    """
    given = images if hasattr(images, "dtype") else np.asarray(images)
    check_kind(given, model.image_shape, "`images`")
    values = np.asarray(given)
    rows = mask_rows(mask, values.shape)
    kept = np.where((rows > 0) | (np.abs(values) <= 1), values, 0)
    return checked_images(model, kept, "`images`"), rows


def mask_rows(mask: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """A mask for each image, `[batch, height, width, 1 or C]`."""
    given = check_mask(mask)
    rows = given[..., None] if given.shape in (shape[1:3], shape[:3]) else given
    rows = rows[None] if rows.ndim == 3 else rows
    fits = rows.ndim == 4 and rows.shape[1:3] == shape[1:3]
    if not fits or rows.shape[0] not in (1, shape[0]) or rows.shape[3] not in (1, shape[3]):
        raise ValueError(
            f"`mask` must be {shape[1:3]}, with 1 or {shape[3]} channels after and the batch of "
            f"{shape[0]} before it if need be, received {given.shape}"
        )
    return np.broadcast_to(rows, (shape[0], *rows.shape[1:]))


def checked_measurement(
    model: Guidable, measurement: ArrayLike, operator: LinearOperator
) -> np.ndarray:
    """A measurement as float32, if the operator makes such ones of the model's images."""
    if not isinstance(operator, LinearOperator):
        raise TypeError(f"`operator` must be a LinearOperator, received {type(operator).__name__}")
    measurement, wanted = np.asarray(measurement), _measured_shape(model, operator)
    if measurement.ndim < 1 or measurement.shape[1:] != tuple(wanted) or not len(measurement):
        raise ValueError(
            f"`measurement` must be [batch, {', '.join(map(str, wanted))}], what the operator "
            f"makes of images {model.image_shape}, received {measurement.shape}"
        )
    if measurement.dtype.kind != "f" or not np.isfinite(measurement).all():
        told = "NaN or Inf" if measurement.dtype.kind == "f" else measurement.dtype.name
        raise ValueError(f"`measurement` must be float and finite, received {told}")
    return measurement.astype(np.float32)


def _measured_shape(model: Guidable, operator: LinearOperator) -> tuple[int, ...]:
    """What the operator makes of one image, from its graph."""
    one = tf.TensorSpec([1, *model.image_shape])
    try:
        measured = tf.function(operator.apply, autograph=False).get_concrete_function(one)
    except NotImplementedError as error:  # NumPy in a graph
        raise TypeError(f"`operator` must be made of TensorFlow's operations: {error}") from error
    given, shapes = measured.structured_outputs, measured.output_shapes
    if not tf.is_tensor(given) or shapes.rank is None:
        raise TypeError(f"`apply` of `operator` must give one tensor, received {given}")
    if shapes[0] != 1:
        raise ValueError(
            "`operator` must do the same to every image (`inpaint` takes a mask for each), "
            f"received one that makes {tuple(shapes)} of one image"
        )
    return tuple(shapes[1:])
