"""The model that a command line names: a `.keras` file, a run, or an exported SavedModel."""

from __future__ import annotations

import pathlib
from typing import Any


def open_model(path: str) -> Any:
    """A model with `sde`, `image_shape`, `num_classes`, `eps` and `sample`.

    Args:
      path: a `.keras` file, the folder of a training run, or an exported model.

    Raises:
      FileNotFoundError: if there is no such thing.
    """
    folder = pathlib.Path(path)
    if not folder.exists():
        raise FileNotFoundError(
            f"a model must be a .keras file, a run or an exported model, received {path}: there is "
            "no such file or folder"
        )
    if folder.is_dir() and not (folder / "model.keras").exists():
        from gddim_tf.serving import ServedModel

        return ServedModel(folder)
    from gddim_tf.training import load

    return load(folder)
