"""Models from wherever they are kept, and into one file."""

from __future__ import annotations

import os
import pathlib
import warnings
import zipfile

import keras

from gddim_tf.atomic import atomic_write
from gddim_tf.models import averaging_adam  # noqa: F401  (importing registers it)
from gddim_tf.models.archive import check_archive
from gddim_tf.models.checkpoint_files import newest_whole, stored
from gddim_tf.models.diffusion_model import DiffusionModel
from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.models.hub import from_hub
from gddim_tf.models.model_card import model_card
from gddim_tf.models.served_model import ServedModel
from gddim_tf.reading import check_ordinary, reading

# The finished model in the folder of a training run.
MODEL_FILE = "model.keras"
# What an unfinished one holds.
CHECKPOINTS = "checkpoints"


def save(model: DiffusionModel, path: str | os.PathLike) -> pathlib.Path:
    """Write a model without its optimizer; a reader sees the old file or the new one, whole.

    Args:
      model: holding the weights to keep (after `fit`, their average).
      path: ends in `.keras`; or a folder, without an ending, which gets `model.keras` and, if it
        has none, a model card `README.md`, ready to be passed on.

    Returns:
      The path.

    Raises:
      ValueError: if the path has another ending.
      OSError: if the file cannot be written; what was there before stays.
    """
    path = pathlib.Path(path)
    if not path.suffix:
        path.mkdir(parents=True, exist_ok=True)
        save(model, path / MODEL_FILE)
        if not (path / "README.md").exists():
            with atomic_write(path / "README.md") as draft:
                draft.write_text(model_card(model, path.name))
        return path
    if path.suffix != ".keras":
        raise ValueError(f"`path` must end in .keras or be a folder, received {str(path)!r}")
    bare = DiffusionModel.from_config(model.get_config())  # without the optimizer's state
    bare.set_weights(model.get_weights())
    with atomic_write(path) as draft:
        bare.save(draft)
    return path


def load(path: str | os.PathLike) -> GenerativeModel:
    """Open a model, whatever kind of file or folder it is kept in.

    Args:
      path: a `.keras` file (trained, or converted from published weights), the folder of a training
        run (of an unfinished one the newest checkpoint is taken, with the average of its weights,
        and a warning says so), or an exported model (the folder of a version, or its parent for the
        highest one); or `hf://user/name` for one of these on the Hugging Face hub.

    Returns:
      A `DiffusionModel`, or the `ServedModel` of an export; both sample.

    Raises:
      FileNotFoundError: if there is no such file or folder, or no model in it.
      ValueError: if it is not a diffusion model, or not whole.
    """
    path = from_hub(path)
    if not path.exists():
        raise FileNotFoundError(
            f"a model must be a .keras file, a run or an exported model, received {path}: there is "
            "no such file or folder"
        )
    if not path.is_dir():
        return _load_keras(path)
    if (path / MODEL_FILE).exists():
        return _load_keras(path / MODEL_FILE)
    if stored(path / CHECKPOINTS):
        return _load_unfinished(path)
    try:
        return ServedModel(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"a model must be a .keras file, a run or an exported model, received {path}: there is "
            "none in it"
        ) from error


def load_trainable(path: str | os.PathLike) -> DiffusionModel:
    """Open a model that holds a Keras network, for those who train or export it.

    Args:
      path: a `.keras` file or the folder of a training run.

    Returns:
      The model.

    Raises:
      FileNotFoundError: if there is nothing at the path.
      ValueError: if it is damaged, or no model.
      ValueError: if it is an exported model, whose network is a graph.
    """
    model = load(path)
    if not isinstance(model, DiffusionModel):
        raise ValueError(
            f"a .keras file or a run is needed here, received an exported model, {path}"
        )
    return model


def _load_unfinished(run: pathlib.Path) -> DiffusionModel:
    """The newest whole checkpoint, with the averaged weights."""
    epoch, file, damaged = newest_whole(run / CHECKPOINTS)
    for error in damaged:
        warnings.warn(f"{error}; trying the checkpoint before it", stacklevel=3)
    if file is None:
        raise FileNotFoundError(f"{run} is an unfinished run without a checkpoint")
    if file.suffix != ".keras":
        raise ValueError(
            f"{run} is an unfinished run of an earlier version, whose checkpoints do not tell the "
            "network; go on with its training to make a model of it"
        )
    warnings.warn(f"{run} has not ended: its checkpoint after epoch {epoch} is used", stacklevel=3)
    model = _load_keras(file, compiled=True)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def _load_keras(file: pathlib.Path, compiled: bool = False) -> DiffusionModel:
    check_ordinary(file, "a .keras file")
    if not zipfile.is_zipfile(file):
        raise ValueError(f"{file} is not a .keras file, or was cut short")
    with reading(file, "a .keras file"):
        check_archive(file)
        model = keras.saving.load_model(file, compile=compiled)
    if not isinstance(model, DiffusionModel):
        raise ValueError(f"{file} holds a {type(model).__name__}, not a DiffusionModel")
    return model
