"""Callbacks that draw from a model while it trains: samples, and pictures of them."""

from __future__ import annotations

import math
import os
import pathlib

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.checks import whole
from gddim_tf.data.pictures import save_grid
from gddim_tf.data.pixels import as_uint8
from gddim_tf.models.averaging_adam import averaged_weights
from gddim_tf.models.generation import even_labels
from gddim_tf.samplers import Sampler


class SampleMonitor(keras.callbacks.Callback):
    """Samples drawn every few epochs with the averaged weights, from the same seeds each time."""

    def __init__(self, every: int, count: int, sampler: Sampler | None, nfe: int) -> None:
        super().__init__()
        self.every, self.count = whole("every", every, 1), whole("count", count, 1)
        self.sampler, self.nfe = sampler, nfe

    def due(self, epoch: int) -> bool:
        """Whether it is time at the end of this epoch, or training ends."""
        return (epoch + 1) % self.every == 0 or epoch + 1 == self.params["epochs"]

    def samples(self) -> np.ndarray:
        """Images `[count, height, width, C]` uint8, as many of each class."""
        with averaged_weights(self.model):
            labels = even_labels(self.model, self.count)
            images = self.model.sample(self.count, self.sampler, self.nfe, labels=labels)
        return as_uint8(images)


class SampleGrid(SampleMonitor):
    """Write a picture of samples every few epochs, always from the same noise.

    Args:
      directory: gets `epoch-000010.png` and so on.
      every: epochs between two pictures; the last epoch always has one.
      count: images in the picture.
      sampler: `samplers.default(sde, nfe)` by default.
      nfe: network evaluations per image.
      log_dir: None, or where TensorBoard looks for logs.

    Raises:
      ValueError: if `every` or `count` is below 1.

    Examples:
      >>> SampleGrid("runs/digits/samples", every=10, nfe=10).count
      100
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        every: int = 1,
        count: int = 100,
        sampler: Sampler | None = None,
        nfe: int = 20,
        log_dir: str | os.PathLike | None = None,
    ) -> None:
        super().__init__(every, count, sampler, nfe)
        self.directory = pathlib.Path(directory)
        self.writer = tf.summary.create_file_writer(str(log_dir)) if log_dir else None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Draw, if it is time."""
        if not self.due(epoch):
            return
        path = self.directory / f"epoch-{epoch + 1:06d}.png"
        titles = self._titles()
        save_grid(self.samples(), path, columns=len(titles) or None, titles=titles)
        if self.writer:
            with self.writer.as_default():
                picture = keras.utils.img_to_array(keras.utils.load_img(path))[None] / 255.0
                tf.summary.image("samples", picture, step=epoch)  # as Keras counts its scalars

    def _titles(self) -> list[str]:
        """The class of each column, about as many columns as rows; empty without classes."""
        names, side = self.model.class_names, math.isqrt(self.count)
        return [*names] * max(1, side // len(names)) if 0 < len(names) <= 2 * side else []
