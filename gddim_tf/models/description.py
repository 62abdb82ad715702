"""What an exported model tells of itself, read with bounds before anything is built from it."""

from __future__ import annotations

import math
import pathlib
from typing import Any, NamedTuple

import keras

from gddim_tf.reading import read_json, reading
from gddim_tf.sdes import LinearSDE

_WHAT = "the description of an exported model"
# Pixels a side, numbers of an image, classes: more than any published model has.
_LONGEST_SIDE, _LARGEST_IMAGE, _MOST_CLASSES = 2**13, 2**26, 2**20


class Description(NamedTuple):
    """The description of an export.

    Attributes:
      told: all of it.
      sde: the diffusion.
      image_shape: `(height, width, C)`.
      num_classes: 0 without.
      class_names: of each class, or none.
    """

    told: dict[str, Any]
    sde: LinearSDE
    image_shape: tuple[int, int, int]
    num_classes: int
    class_names: tuple[str, ...]


def read_description(path: pathlib.Path) -> Description:
    """Read `gddim_tf.json` of an export.

    Raises:
      DamagedFileError: if it is something else, or asks for more than a model can be.
      OSError: if it cannot be read.
    """
    told = read_json(path, _WHAT)
    with reading(path, _WHAT):
        shape, classes = told["image_shape"], told["num_classes"]
        _check_whole("image_shape", shape, 1, _LONGEST_SIDE)
        _check_whole("num_classes", [classes], 0, _MOST_CLASSES)
        if len(shape) != 3 or math.prod(shape) > _LARGEST_IMAGE:
            raise ValueError(f"`image_shape` must be that of an image, received {shape}")
        names = told.get("class_names", [])
        if not all(isinstance(name, str) for name in names) or len(names) not in (0, classes):
            raise ValueError(f"`class_names` must be {classes} texts or none, received {names}")
        sde = keras.saving.deserialize_keras_object(told["sde"])
        if not isinstance(sde, LinearSDE):
            raise ValueError(f"`sde` must be a diffusion, received {type(sde).__name__}")
    return Description(told, sde, tuple(shape), classes, tuple(names))


def _check_whole(name: str, values: list[int], least: int, most: int) -> None:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"`{name}` must be whole and in {least} to {most}, received {value!r}")
