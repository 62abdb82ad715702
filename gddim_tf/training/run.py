"""A training run in a folder: the same recipe in the same folder goes on where it stopped."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import pathlib
import sys
from collections.abc import Sequence

import keras
import tensorflow as tf

from gddim_tf import data
from gddim_tf.atomic import atomic_write
from gddim_tf.models import load, save
from gddim_tf.models.diffusion_model import DiffusionModel
from gddim_tf.training import workers
from gddim_tf.training.checkpoint import Checkpoint
from gddim_tf.training.recipe import Recipe


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
    `model-STEPS.keras`.

    The folder holds `recipe.json`, `checkpoints/`, `log.csv` (with the loss on the test or
    validation split, if there is one) and, when done, `model.keras` with the averaged weights.

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
      ValueError: if the folder holds a run of another recipe or of more steps, the batch cannot be
        divided among the devices, or the loss becomes NaN.
      ConnectionError: if another worker is lost.
    """
    directory = pathlib.Path(directory)
    strategy = strategy or tf.distribute.get_strategy()
    claimed = _claimed_steps(recipe, directory)
    _check_devices(recipe, strategy)
    trained = directory / "model.keras"
    if trained.exists() and claimed in (0, recipe.steps):
        return load(directory)
    with strategy.scope():
        model = recipe.model()
        model.optimizer.build(model.trainable_variables)
    done = Checkpoint.restore(model, directory / "checkpoints")
    if trained.exists() and not done:
        raise ValueError(
            f"{directory} holds a model of {claimed} steps without the checkpoints that longer "
            "training would go on from; use another folder"
        )
    images = _images(recipe, strategy, "train", recipe.seed + done, recipe.batch_size)
    unseen, validation_steps = _validation(recipe, strategy)
    if workers.is_first(strategy):
        log = directory / "log.csv"
        callbacks = [
            *callbacks,  # which may add to the log
            keras.callbacks.CSVLogger(str(log), append=done > 0),
            # last, so that what a checkpoint holds has been logged
            Checkpoint(directory / "checkpoints", save_every),
        ]
        _claim(recipe, directory, claimed)
        _cut_log(log, done)
    else:
        callbacks = []
    options = {
        "validation_data": unseen,
        "validation_steps": validation_steps,
        "epochs": recipe.epochs,
        "initial_epoch": done,
        "steps_per_epoch": recipe.steps_per_epoch,
        "callbacks": [
            *callbacks,
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.SwapEMAWeights(),
        ],
        "verbose": 1 if sys.stdout.isatty() else 2,
    }
    if workers.several(strategy):
        history = workers.fit(model, images, **options)
    else:
        history = model.fit(images, shuffle=False, **options)  # the pipeline did
    _check_finite(history.history.get("loss", [0.0]), done, recipe)
    if workers.is_first(strategy):
        save(model, trained)
    workers.wait_for_all(strategy)
    return model


def _images(
    recipe: Recipe, strategy: tf.distribute.Strategy, split: str, seed: int, batch_size: int
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Endless batches of the train split, one pass over another; each worker reads its own part."""

    def part(size: int, shard: tuple[int, int] | None = None) -> tf.data.Dataset:
        return data.load(
            recipe.dataset,
            split=split,
            batch_size=size,
            image_size=recipe.image_size,
            labels=recipe.conditional,
            flip=recipe.flip if split == "train" else False,
            seed=seed,
            repeat=split == "train",
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
    split = next((name for name in ("validation", "test") if name in splits), None)
    count = splits.get(split)
    if not count:
        return None, None
    replicas = strategy.num_replicas_in_sync
    batch = min(recipe.batch_size, count // replicas * replicas)
    if not batch:
        return None, None
    return _images(recipe, strategy, split, recipe.seed, batch), max(count // batch, 1)


def _check_finite(losses: list[float], done: int, recipe: Recipe) -> None:
    if not math.isfinite(losses[-1]):
        raise ValueError(
            f"the loss became {losses[-1]} in epoch {done + len(losses)}; a smaller learning rate "
            f"may help, received {recipe.learning_rate}; the checkpoint before it is kept"
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


def _claimed_steps(recipe: Recipe, directory: pathlib.Path) -> int:
    """The steps of the run in the folder, which may only grow; 0 if there is none."""
    path = directory / "recipe.json"
    if not path.exists():
        return 0
    found = json.loads(path.read_text())
    for key, value in dataclasses.asdict(recipe).items():
        grows = key == "steps" and found.get(key, value) < value
        if found.get(key) != value and not grows:
            raise ValueError(
                f"{directory} holds a run with {key} = {found.get(key)!r}, received {value!r}; "
                "use another folder or the same settings (only `steps` may grow)"
            )
    return found["steps"]


def _claim(recipe: Recipe, directory: pathlib.Path, claimed: int) -> None:
    """Say whose folder it is; the model of a shorter run gets a name of its own first."""
    trained = directory / "model.keras"
    if trained.exists():
        trained.rename(directory / f"model-{claimed}.keras")
    with atomic_write(directory / "recipe.json") as draft:
        draft.write_text(json.dumps(dataclasses.asdict(recipe), indent=2) + "\n")


def _cut_log(path: pathlib.Path, done: int) -> None:
    """Drop the epochs that will be done again, and a line that a kill has cut short."""
    if not path.exists():
        return
    lines = [line for line in path.read_bytes().splitlines(True) if line.endswith(b"\n")]
    kept = [line for line in lines if line[:5] == b"epoch" or int(line.split(b",")[0]) < done]
    with atomic_write(path) as draft:
        draft.write_bytes(b"".join(kept))
