"""A training run in a folder: the same recipe in the same folder goes on where it stopped."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf import data
from gddim_tf.atomic import room_for
from gddim_tf.locking import exclusive
from gddim_tf.models import save
from gddim_tf.models.diffusion_model import DiffusionModel
from gddim_tf.models.opening import load_trainable
from gddim_tf.training import workers
from gddim_tf.training.checkpoint import Checkpoint
from gddim_tf.training.last_step import LastStep
from gddim_tf.training.recipe import Recipe
from gddim_tf.training.run_folder import RunFolder

# Trained weights are of order 1.
_LARGEST_WEIGHT = 1e6


def train(
    recipe: Recipe,
    directory: str | os.PathLike,
    *,
    save_every: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    strategy: tf.distribute.Strategy | None = None,
) -> DiffusionModel:
    """Train, or go on training, or return what is already trained.

    A run whose recipe has more steps than the one in the folder goes on from there; the rest
    follows the new schedule of the learning rate. What was trained before is kept as
    `model-STEPS.keras`. A run that was stopped goes on with the images, times and noise of one
    that never was, unless its images do not fit in memory (see `data.load`).

    The folder holds `recipe.json`, `checkpoints/`, `log.csv` (with the loss on the test or
    validation split, if there is one) and, when done, `model.keras` with the averaged weights. One
    process at a time may train there.

    Args:
      recipe: what to train.
      directory: of the run; with several workers, one that all of them see.
      save_every: epochs between checkpoints.
      callbacks: further ones, such as `evaluation.SampleGrid`.
      strategy: None, or a `tf.distribute` strategy over the devices of this machine
        (`MirroredStrategy`) or over the machines of `TF_CONFIG` (`MultiWorkerMirroredStrategy`).
        The loss is that of one device with the same `batch_size`.

    Returns:
      The trained model, holding the averaged weights.

    Raises:
      ValueError: if the folder holds a run of another recipe, of more steps, on other data or
        without a whole checkpoint, the batch cannot be divided among the devices, or the loss
        becomes NaN.
      FolderInUseError: if another process trains in the folder.
      DiskFullError: if there is no room for a checkpoint, the log or the model.
      ConnectionError: if another worker is lost.
    """
    directory = pathlib.Path(directory)
    strategy = strategy or tf.distribute.get_strategy()
    _check_devices(recipe, strategy)
    alone = exclusive(directory) if workers.is_first(strategy) else contextlib.nullcontext()
    with alone, room_for(directory):
        return _train(recipe, directory, save_every, callbacks, strategy)


def _train(
    recipe: Recipe,
    directory: pathlib.Path,
    save_every: int,
    callbacks: Sequence[keras.callbacks.Callback],
    strategy: tf.distribute.Strategy,
) -> DiffusionModel:
    folder = RunFolder(directory, recipe)
    if folder.trained.exists() and folder.steps in (0, recipe.steps):
        return load_trainable(directory)
    with strategy.scope():
        model = recipe.model()
        model.optimizer.build(model.trainable_variables)
    epochs = Checkpoint.restore(model, folder.checkpoints)
    if folder.trained.exists() and not epochs:
        raise ValueError(
            f"{directory} holds a model of {folder.steps} steps without the checkpoints that "
            "longer training would go on from; use another folder"
        )
    steps = model.steps_done
    images = _images(recipe, strategy, "train", recipe.batch_size, steps)
    unseen, validation_steps = _validation(recipe, strategy)
    first = workers.is_first(strategy)
    if first:
        folder.remove_drafts()
        folder.claim()
        folder.cut_log(epochs)
        callbacks = [
            *callbacks,  # which may add to the log
            keras.callbacks.CSVLogger(str(folder.log), append=epochs > 0),
            # last, so that what a checkpoint holds has been logged
            Checkpoint(folder.checkpoints, save_every),
        ]
    options = {
        "validation_data": unseen,
        "validation_steps": validation_steps,
        "epochs": epochs + math.ceil(max(recipe.steps - steps, 0) / recipe.steps_per_epoch),
        "initial_epoch": epochs,
        "steps_per_epoch": recipe.steps_per_epoch,
        "callbacks": [
            LastStep(recipe.steps - steps),
            *(callbacks if first else ()),
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.SwapEMAWeights(),
        ],
        "verbose": 1 if sys.stdout.isatty() else 2,
    }
    losses = _fit(model, images, strategy, options).get("loss", [0.0])
    _check_finite(model, losses, epochs, recipe)
    if first:
        save(model, folder.trained)
    workers.wait_for_all(strategy)
    return model


def _fit(
    model: DiffusionModel,
    images: tf.data.Dataset,
    strategy: tf.distribute.Strategy,
    options: dict[str, Any],
) -> dict[str, list[float]]:
    """The history of `fit`, or of the loop that stands in for it on several machines."""
    if workers.several(strategy):
        return workers.fit(model, images, **options).history
    return model.fit(images, shuffle=False, **options).history  # the pipeline did


def _images(
    recipe: Recipe, strategy: tf.distribute.Strategy, split: str, batch_size: int, start: int = 0
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Batches of a split, endless ones to train on; each worker reads its own part."""
    training = split == "train"

    def part(size: int, shard: tuple[int, int] | None = None) -> tf.data.Dataset:
        return data.load(
            recipe.dataset,
            split=split,
            batch_size=size,
            image_size=recipe.image_size,
            labels=recipe.conditional,
            flip=recipe.flip if training else False,
            seed=recipe.seed,
            repeat=training,
            start=start,
            drop_remainder=True,
            shard=shard,
        )

    if not workers.several(strategy):
        return part(batch_size)  # `fit` divides each batch among the devices
    return workers.batches(strategy, part, batch_size)


def _validation(
    recipe: Recipe, strategy: tf.distribute.Strategy
) -> tuple[tf.data.Dataset | tf.distribute.DistributedDataset | None, int | None]:
    """Batches of the images that are not trained on, and how many; None if there are none."""
    splits = data.info(recipe.dataset).splits
    split = next((name for name in ("validation", "test") if splits.get(name)), None)
    count = splits[split] if split else None
    if not (split and count):
        return None, None
    replicas = strategy.num_replicas_in_sync
    batch = min(recipe.batch_size, count // replicas * replicas)
    if not batch:
        return None, None
    return _images(recipe, strategy, split, batch), max(count // batch, 1)


def _check_finite(model: DiffusionModel, losses: list[float], done: int, recipe: Recipe) -> None:
    """Refuse to keep a model that training has ruined, though the last loss may not tell."""
    largest = np.max([np.abs(weight).max(initial=0) for weight in model.network.get_weights()])
    what = None
    if not math.isfinite(losses[-1]):
        what = f"the loss became {losses[-1]}"
    elif not largest < _LARGEST_WEIGHT:
        what = f"a weight became {largest:g}"
    if what:
        raise ValueError(
            f"{what} in epoch {done + len(losses)}; a smaller learning rate may help, received "
            f"{recipe.learning_rate}; the checkpoint before it is kept"
        )


def _check_devices(recipe: Recipe, strategy: tf.distribute.Strategy) -> None:
    replicas = strategy.num_replicas_in_sync
    if recipe.batch_size % replicas:
        raise ValueError(
            f"`batch_size` must be a multiple of the {replicas} devices, received "
            f"{recipe.batch_size}"
        )
    if replicas > 1 and recipe.jit:
        raise ValueError("`jit` must be False on several devices, received True")
    if replicas > 1 and recipe.accumulate > 1:
        raise ValueError(f"`accumulate` must be 1 on several devices, received {recipe.accumulate}")
