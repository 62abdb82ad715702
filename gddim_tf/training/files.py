"""A trained model as one `.keras` file."""

from __future__ import annotations

import os
import pathlib
import zipfile

import keras

from gddim_tf.atomic import atomic_write
from gddim_tf.models.diffusion_model import DiffusionModel


def save(model: DiffusionModel, path: str | os.PathLike) -> pathlib.Path:
    """Write a model without its optimizer; a reader sees the old file or the new one, whole.

    Args:
      model: holding the weights to keep (after `fit`, their average).
      path: ends in `.keras`.

    Returns:
      The path.

    Raises:
      ValueError: if the path does not end in `.keras`.
      OSError: if the file cannot be written; what was there before stays.
    """
    path = pathlib.Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"`path` must end in .keras, received {str(path)!r}")
    bare = DiffusionModel.from_config(model.get_config())  # without the optimizer's state
    bare.set_weights(model.get_weights())
    with atomic_write(path) as draft:
        bare.save(draft)
    return path


def load(path: str | os.PathLike) -> DiffusionModel:
    """Read a model.

    Args:
      path: a `.keras` file, or the folder of a training run that holds `model.keras`.

    Returns:
      The model, ready to sample.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if it is not a diffusion model, or not whole.
    """
    path = pathlib.Path(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.exists():
        raise FileNotFoundError(
            f"`path` must be a .keras file or hold model.keras, received {path}"
        )
    if not zipfile.is_zipfile(file):
        raise ValueError(f"{file} is not a .keras file, or was cut short")
    model = keras.saving.load_model(file, compile=False)
    if not isinstance(model, DiffusionModel):
        raise ValueError(f"{file} holds a {type(model).__name__}, not a DiffusionModel")
    return model
