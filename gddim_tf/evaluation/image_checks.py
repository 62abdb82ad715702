"""Whether the images of a data set are those that a model makes."""

from __future__ import annotations

import warnings

from gddim_tf import data
from gddim_tf.image_size import ImageSize, sides, text
from gddim_tf.models.generative_model import GenerativeModel


def check_images(model: GenerativeModel, dataset: str) -> None:
    """Refuse images of other channels than the model's, and warn of those of another size.

    Args:
      model: whatever makes images, or judges them.
      dataset: a name that `data.load` knows.

    Raises:
      ValueError: if one is grey and the other coloured.
    """
    own, others = model.image_shape[-1], data.info(dataset).channels
    if own != others:
        raise ValueError(
            f"`dataset` must have images of {own} channels, as the model has, received {others} of "
            f"{dataset}"
        )
    if told := taken_as(dataset, model.image_shape[:2]):
        warnings.warn(
            f"the images of {dataset} are not of the size of the model's, and are taken as {told}, "
            "cut to their middle where their sides are in another ratio: the numbers are of those",
            stacklevel=3,
        )


def taken_as(dataset: str, image_size: ImageSize) -> str | None:
    """How images are brought to a size, "28 x 28 from 20 x 20".

    Args:
      dataset: a name that `data.load` knows.
      image_size: that they are wanted in.

    Returns:
      The two sizes; None if they are equal, or the images are of no single size.
    """
    stored = data.info(dataset).stored_size
    if stored is None or stored == sides(image_size):
        return None
    return f"{text(image_size)} from {text(stored)}"
