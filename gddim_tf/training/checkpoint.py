"""Checkpoints that a kill at any moment leaves whole."""

from __future__ import annotations

import json
import math
import os
import pathlib
import warnings

import keras

from gddim_tf.digest import file_digest

_KEPT = 2


class Checkpoint(keras.callbacks.Callback):
    """Save weights, optimizer and epoch every few epochs, and go on from them with `restore`.

    Each checkpoint is written beside the others under a temporary name, flushed to the disk,
    renamed, and only then vouched for by a small file with its SHA-256; one that was cut short is
    recognised and the one before it used. Put this callback before Keras' `SwapEMAWeights`, so that
    it sees the raw weights; the average is part of the optimizer's state.

    Args:
      directory: where the files go.
      every: epochs between two of them; the last epoch is always saved.

    Raises:
      ValueError: if `every` is below 1.
    """

    def __init__(self, directory: str | os.PathLike, every: int = 1) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be at least 1 epoch, received {every}")
        self.directory, self.every = pathlib.Path(directory), every

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Save if it is time, and if the loss is a number."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            return
        if (epoch + 1) % self.every == 0 or epoch + 1 == self.params["epochs"]:
            self.save(epoch + 1)

    def save(self, epoch: int) -> None:
        """Write the state after `epoch` epochs, and drop all but the newest two."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"epoch-{epoch:06d}.weights.h5"
        # one name for all, so that what a kill leaves is overwritten
        temporary = self.directory / ".new.weights.h5"
        try:
            self.model.save_weights(temporary, overwrite=True)
            digest = file_digest(temporary)
            _flush(temporary)
            temporary.replace(path)
            _seal(temporary).write_text(json.dumps({"epoch": epoch, "sha256": digest}))
            _flush(_seal(temporary))
            _seal(temporary).replace(_seal(path))
        finally:
            temporary.unlink(missing_ok=True)
            _seal(temporary).unlink(missing_ok=True)
        for old in sorted(self.directory.glob("epoch-*.weights.h5"))[:-_KEPT]:
            _seal(old).unlink(missing_ok=True)
            old.unlink(missing_ok=True)

    @staticmethod
    def restore(model: keras.Model, directory: str | os.PathLike) -> int:
        """Load the newest whole checkpoint.

        Args:
          model: compiled, of the architecture that was saved.
          directory: as given to the constructor.

        Returns:
          The number of epochs already done, 0 if there is no checkpoint.

        Raises:
          ValueError: if the checkpoint is of another architecture.
        """
        for path in sorted(pathlib.Path(directory).glob("epoch-*.weights.h5"), reverse=True):
            seal = _seal(path)
            if not seal.exists() or json.loads(seal.read_text())["sha256"] != file_digest(path):
                warnings.warn(
                    f"the checkpoint {path} was cut short; trying the one before it", stacklevel=2
                )
                continue
            model.optimizer.build(model.trainable_variables)
            try:
                model.load_weights(path)
            except (ValueError, KeyError) as error:
                raise ValueError(
                    f"the checkpoint {path} is of another architecture or optimizer: {error}"
                ) from error
            return json.loads(seal.read_text())["epoch"]
        return 0


def _seal(path: pathlib.Path) -> pathlib.Path:
    return path.with_suffix(".json")


def _flush(path: pathlib.Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
