"""An exported model, loaded again: its network under any sampler."""

from __future__ import annotations

import json
import os
import pathlib

import keras
import tensorflow as tf

from gddim_tf.digest import weights_fingerprint
from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.models.versions import DESCRIPTION, versions


class ServedModel(GenerativeModel):
    """A SavedModel written by `export`, for sampling with any sampler and NFE.

    Args:
      path: the folder of a version, or its parent (then the highest version is taken).

    Raises:
      FileNotFoundError: if there is no exported model.
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
        self.description = json.loads(description.read_text())
        self.sde = keras.saving.deserialize_keras_object(self.description["sde"])
        self.image_shape = tuple(self.description["image_shape"])
        self.num_classes = self.description["num_classes"]
        self.class_names = tuple(self.description.get("class_names", ()))
        self._loaded = tf.saved_model.load(str(self.folder))

    def eps(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """`eps_fn` of the exported network: states `[batch, ...]`, times `[batch]` -> eps."""
        if not self.num_classes:
            return self._loaded.eps(u, t)
        labels = tf.fill(tf.shape(t), self.num_classes) if labels is None else labels
        return self._loaded.eps(u, t, tf.cast(labels, tf.int32))

    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell these weights from others."""
        reader = tf.train.load_checkpoint(str(self.folder / "variables" / "variables"))
        names = reader.get_variable_to_shape_map()
        return weights_fingerprint(reader.get_tensor(name) for name in names)
