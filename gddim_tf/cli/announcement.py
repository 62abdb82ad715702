"""What a training run says about itself before and shortly after it starts."""

from __future__ import annotations

import pathlib
import time

import keras
import numpy as np

from gddim_tf import data
from gddim_tf.data.pictures import save_grid
from gddim_tf.training import Recipe

# The first steps compile; the time of the next ones tells that of all.
_SKIPPED, _TIMED = 3, 20
_SHOWN = 64


class Announcement(keras.callbacks.Callback):
    """Says what is trained on what, shows it as the network sees it, and estimates the time.

    Args:
      recipe: of the run.
      picture: file that gets a grid of real images.
    """

    def __init__(self, recipe: Recipe, picture: pathlib.Path) -> None:
        super().__init__()
        self._recipe, self._picture = recipe, picture
        self._steps, self._since, self._first = 0, 0.0, 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Say what is trained."""
        recipe, info = self._recipe, data.info(self._recipe.dataset)
        height, width, channels = self.model.image_shape
        classes = f"{info.num_classes} classes" if recipe.conditional else "without classes"
        if recipe.conditional and info.class_names:
            classes += f" ({_shortened(info.class_names)})"
        count = info.splits["train"]
        print(
            f"data: {count} images of {recipe.dataset}, taken as {height} x {width} "
            f"x {channels}, {classes}"
        )
        for note in info.notes:
            print(f"data: {note}")
        self._first = self.model.steps_done
        weights = f"{self.model.network.count_params():,} weights"
        print(f"model: {recipe.network} with {weights} on {self.model.sde}")
        planned = f"steps {self._first} to {recipe.steps} of {recipe.batch_size} images"
        if count:
            planned += f", about {recipe.steps * recipe.batch_size / count:.1f} times each image"
        print(f"training: {planned}")
        self._draw()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Estimate the time from some steps in the beginning."""
        self._steps += 1
        if self._steps == _SKIPPED:
            self._since = time.monotonic()
        if self._steps == _SKIPPED + _TIMED:
            step = (time.monotonic() - self._since) / _TIMED
            left = step * (self._recipe.steps - self._first - self._steps)
            print(f"\ntime: {step:.3g} s a step, so about {_duration(left)} from now")

    def _draw(self) -> None:
        images = data.load(
            self._recipe.dataset, batch_size=_SHOWN, image_size=self._recipe.image_size, flip=False
        )
        save_grid(np.asarray(next(iter(images))), self._picture)
        print(f"a picture of images as the network sees them is in {self._picture}")


def _shortened(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 10 else f"{', '.join(names[:9])}, ... {names[-1]}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
