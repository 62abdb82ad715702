"""An exported model, loaded again: its network under any sampler."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from gddim_tf.digest import weights_fingerprint
from gddim_tf.models.description import read_description
from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.models.versions import DESCRIPTION, versions
from gddim_tf.reading import DamagedFileError, reading

_WHAT = "an exported model"


class ServedModel(GenerativeModel):
    """A SavedModel written by `export`, for sampling with any sampler and NFE.

    Args:
      path: the folder of a version, or its parent (then the highest version is taken).

    Raises:
      FileNotFoundError: if there is no exported model.
      DamagedFileError: if a file is damaged, or the description is not that of the graph.

    Examples:
      >>> model = ServedModel("saved_models/digits_vp")  # in a clone
      >>> model.sample(2, nfe=3, labels=[3, 7]).shape
      (2, 8, 8, 1)
    """

    def __init__(self, path: str | os.PathLike) -> None:
        path = pathlib.Path(path)
        numbers = [] if (path / "saved_model.pb").exists() else versions(path)
        self.folder = path / str(numbers[-1]) if numbers else path
        description = self.folder / "assets.extra" / DESCRIPTION
        if not description.exists():
            raise FileNotFoundError(
                f"`path` must be an exported model (a folder with {DESCRIPTION} in assets.extra), "
                f"received {path}"
            )
        described = read_description(description)
        self.description, self.sde = described.told, described.sde
        self.image_shape, self.num_classes = described.image_shape, described.num_classes
        self.class_names = described.class_names
        self._loaded = _loaded(self.folder)
        height, width, channels = self.image_shape
        _check_graph(self._loaded, self.folder, [height, width, self.sde.components * channels])

    def eps(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """`eps_fn` of the exported network: states `[batch, ...]`, times `[batch]` -> eps."""
        if not self.num_classes:
            return self._loaded.eps(u, t)
        labels = tf.fill(tf.shape(t), self.num_classes) if labels is None else labels
        return self._loaded.eps(u, t, tf.cast(labels, tf.int32))

    @property
    def signatures(self) -> Mapping[str, Any]:
        """The functions that a server offers, by name; they take and give tensors by name."""
        return self._loaded.signatures

    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell these weights from others."""
        reader = tf.train.load_checkpoint(str(self.folder / "variables" / "variables"))
        names = reader.get_variable_to_shape_map()
        return weights_fingerprint(reader.get_tensor(name) for name in names)


def _loaded(path: pathlib.Path) -> Any:
    try:
        with reading(path, _WHAT):
            return tf.saved_model.load(str(path))
    except tf.errors.OpError as error:
        raise DamagedFileError(
            f"{path} must be {_WHAT}, and is damaged: {error.message}"
        ) from error


def _check_graph(loaded: Any, path: pathlib.Path, state_shape: list[int]) -> None:
    """Refuse a graph that the description beside it does not describe."""
    with reading(path, _WHAT):
        state = loaded.eps.structured_input_signature[0][0]
        if state.shape[1:].as_list() != state_shape:
            raise ValueError(
                f"its description speaks of states {state_shape}, its graph takes "
                f"{state.shape[1:].as_list()}"
            )
