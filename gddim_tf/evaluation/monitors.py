"""Callbacks that look at the samples of a model while it trains."""

from __future__ import annotations

import math
import os
import pathlib

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.data.pictures import save_grid
from gddim_tf.data.pixels import as_uint8
from gddim_tf.evaluation.extraction import extract_statistics
from gddim_tf.evaluation.features import feature_extractor
from gddim_tf.evaluation.reference import Reference
from gddim_tf.evaluation.statistics import frechet_distance_from_statistics
from gddim_tf.image_size import compact
from gddim_tf.models.averaging_adam import averaged_weights
from gddim_tf.models.generation import even_labels
from gddim_tf.samplers import Sampler


class _Monitor(keras.callbacks.Callback):
    """Samples drawn every few epochs with the averaged weights, from the same seeds each time."""

    def __init__(self, every: int, count: int, sampler: Sampler | None, nfe: int) -> None:
        super().__init__()
        for name, value in (("every", every), ("count", count)):
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1, received {value}")
        self.every, self.count, self.sampler, self.nfe = every, count, sampler, nfe

    def due(self, epoch: int) -> bool:
        """Whether it is time at the end of this epoch, or training ends."""
        return (epoch + 1) % self.every == 0 or epoch + 1 == self.params["epochs"]

    def samples(self) -> np.ndarray:
        """Images `[count, height, width, C]` uint8, as many of each class."""
        with averaged_weights(self.model):
            images = self.model.sample(
                self.count,
                self.sampler,
                self.nfe,
                labels=even_labels(self.model, self.count),
            )
        return as_uint8(images)


class SampleGrid(_Monitor):
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


class FrechetMonitor(_Monitor):
    """Log the Frechet distance to real images every few epochs, under a name with the count.

    With 1,000 images the name is `frechet_1000`: distances from other numbers of images are not
    comparable. Put it before `CSVLogger`, `ModelCheckpoint(monitor="frechet_1000")` and others that
    read the logs; in epochs in between the log holds the last value.

    Args:
      dataset: a name that `data.load` knows.
      every: epochs between two distances; the last epoch always has one.
      count: generated images.
      sampler: `samplers.default(sde, nfe)` by default.
      nfe: network evaluations per image.
      features: a name that `feature_extractor` knows, such as "digits" or "inception:FOLDER".
      split: of the real images, all of which are used.

    Raises:
      ValueError: if `every` or `count` is below 1.

    Examples:
      >>> FrechetMonitor("digits", every=10, count=500).nfe
      20
    """

    def __init__(
        self,
        dataset: str,
        every: int = 10,
        count: int = 1000,
        sampler: Sampler | None = None,
        nfe: int = 20,
        features: str = "digits",
        split: str = "train",
    ) -> None:
        super().__init__(every, count, sampler, nfe)
        self.dataset, self.split, self.features = dataset, split, features
        self._value = float("nan")

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Look at the real images once."""
        size = compact(self.model.image_shape[:2])
        self._extractor = feature_extractor(self.features)
        self._real = Reference(self.dataset, self._extractor, size, self.split).statistics

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Measure, if it is time, and add the newest distance to the logs."""
        if self.due(epoch):
            fake = extract_statistics(self._extractor, self.samples(), progress=False)
            self._value = frechet_distance_from_statistics(self._real, fake)
        if logs is not None:
            logs[f"frechet_{self.count}"] = self._value
