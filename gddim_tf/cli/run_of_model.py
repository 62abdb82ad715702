"""What the run that a model belongs to knows about it."""

from __future__ import annotations

import os
import pathlib
from typing import Any

from gddim_tf.reading import read_json

DIGITS_SHAPE = (8, 8, 1)


def recipe_of(model: str | os.PathLike) -> dict[str, Any] | None:
    """The recipe of the run that a model is, or lies in; None if there is none.

    Raises:
      ValueError: if the recipe is damaged; the message names the file.
    """
    path = pathlib.Path(model)
    file = (path if path.is_dir() else path.parent) / "recipe.json"
    if not file.is_file():
        return None
    return read_json(file, "the recipe of a run")


def data_of(model: str | os.PathLike, data: str | None, shape: tuple[int, ...]) -> str:
    """The real images to compare a model with.

    Args:
      model: where it is kept.
      data: the name of a data set, or None for the one that the run was trained on.
      shape: of the model's images; those of digits are compared with digits if no run is known.

    Raises:
      ValueError: if none is named and none is known.
    """
    if data is not None:
        return data
    recipe = recipe_of(model) or {}
    if isinstance(recipe.get("dataset"), str):
        return recipe["dataset"]
    if tuple(shape) == DIGITS_SHAPE:
        return "digits"
    raise ValueError(
        f"`data` must be named, since {model} is not in the folder of its run; its images are "
        f"{' x '.join(map(str, shape))}"
    )
