"""Checkpoints that a kill at any moment leaves whole."""

from __future__ import annotations

import math
import os
import pathlib
import warnings

import keras

from gddim_tf.atomic import atomic_write
from gddim_tf.models.checkpoint_files import checkpoint_path, newest_whole, stored
from gddim_tf.sealed import seal_path, write_seal

_KEPT = 2


class Checkpoint(keras.callbacks.Callback):
    """Save weights, optimizer and epoch every few epochs, and go on from them with `restore`.

    Each checkpoint is a `.keras` file that also holds the optimizer. It is written beside the
    others under a temporary name and flushed to the disk; a small file with its SHA-256 vouches for
    it; then it gets its name. One that is damaged is recognised and the one before it used.

    Put this callback before Keras' `SwapEMAWeights`, so that it sees the raw weights; the average
    is part of the optimizer's state.

    Args:
      directory: where the files go.
      every: epochs between two of them; the last epoch is always saved.

    Raises:
      ValueError: if `every` is below 1.

    Examples:
      >>> Checkpoint("runs/digits/checkpoints", every=5).every
      5
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
        """Write the state after `epoch` epochs, and drop all but the newest two.

        Raises:
          DiskFullError: if there is no room for it; the checkpoints before it stay.
        """
        path = checkpoint_path(self.directory, epoch)
        try:
            with atomic_write(path) as draft:
                self.model.save(draft)
                # before the file is there, so that a kill never leaves one without
                write_seal(path, {"epoch": epoch}, draft)
        except BaseException:
            seal_path(path).unlink(missing_ok=True)
            raise
        for _, old in stored(self.directory)[_KEPT:]:
            seal_path(old).unlink(missing_ok=True)
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
          ValueError: if the checkpoint is of another architecture, or there are some and none of
            them is whole.
        """
        epoch, path, damaged = newest_whole(directory)
        for error in damaged:
            warnings.warn(f"{error}; trying the checkpoint before it", stacklevel=2)
        if path is None:
            return 0
        model.optimizer.build(model.trainable_variables)
        try:
            model.load_weights(path)
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"the checkpoint {path} is of another architecture or optimizer: {error}"
            ) from error
        return epoch
