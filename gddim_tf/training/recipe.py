"""A training run as data: the same recipe in the same folder goes on where it stopped."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import pathlib
import sys

import keras

from gddim_tf import data, sdes
from gddim_tf.atomic import atomic_write
from gddim_tf.networks import ScoreUNet
from gddim_tf.training.checkpoint import Checkpoint
from gddim_tf.training.diffusion_model import DiffusionModel
from gddim_tf.training.files import load, save
from gddim_tf.training.prediction import output_components


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that a training run needs to be repeated; the defaults suit the digits.

    Args:
      dataset: a name that `data.load` knows.
      sde: a name that `sdes.make` knows.
      network: a preset of `ScoreUNet`.
      prediction: what the network predicts; see `training.Prediction`.
      steps: optimizer steps.
      batch_size: images per step.
      learning_rate: of Adam, after the warm-up.
      warmup: steps over which the learning rate grows linearly from 0.
      decay: whether the learning rate falls to 0 along a cosine after the warm-up.
      ema: decay of the average of the weights.
      clip: largest global norm of the gradient.
      conditional: whether the network is told the labels.
      image_size: None for the data set's own.
      dropout: None for the preset's own.
      seed: of weights, shuffling, times and noise.
      steps_per_epoch: how often progress is reported and saved.
    """

    dataset: str = "digits"
    sde: str = "vp"
    network: str = "ddpm_digits"
    prediction: str = "v"
    steps: int = 3000
    batch_size: int = 128
    learning_rate: float = 2e-3
    warmup: int = 200
    decay: bool = True
    ema: float = 0.995
    clip: float = 1.0
    conditional: bool = False
    image_size: int | None = None
    dropout: float | None = None
    seed: int = 0
    steps_per_epoch: int = 250

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "steps_per_epoch"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1, received {getattr(self, name)}")

    @property
    def epochs(self) -> int:
        """Rounded up to whole epochs of `steps_per_epoch`."""
        return math.ceil(self.steps / self.steps_per_epoch)

    def model(self) -> DiffusionModel:
        """A new model, compiled."""
        keras.utils.set_random_seed(self.seed)
        info = data.info(self.dataset)
        size = self.image_size or info.image_size
        sde = sdes.make(self.sde, size)
        overrides = {
            "image_size": size,
            "channels": info.channels,
            "components": sde.components,
            "out_channels": output_components(self.prediction, sde) * info.channels,
        }
        if self.conditional:
            overrides["num_classes"] = info.num_classes
        if self.dropout is not None:
            overrides["dropout"] = self.dropout
        network = ScoreUNet.from_preset(self.network, **overrides)
        model = DiffusionModel(network, sde, self.prediction)
        model.compile(
            optimizer=keras.optimizers.Adam(
                self.schedule(),
                global_clipnorm=self.clip,
                use_ema=True,
                ema_momentum=self.ema,
            )
        )
        return model

    def schedule(self) -> keras.optimizers.schedules.LearningRateSchedule | float:
        """The learning rate by step."""
        if self.decay:
            return keras.optimizers.schedules.CosineDecay(
                0.0,
                max(self.steps - self.warmup, 1),
                warmup_target=self.learning_rate,
                warmup_steps=self.warmup,
            )
        if not self.warmup:
            return self.learning_rate
        return keras.optimizers.schedules.PolynomialDecay(
            0.0, self.warmup, end_learning_rate=self.learning_rate
        )


def train(recipe: Recipe, directory: str | os.PathLike, save_every: int = 1) -> DiffusionModel:
    """Train, or go on training, or return what is already trained.

    The folder holds `recipe.json`, `checkpoints/`, `log.csv` and, when done, `model.keras` with the
    averaged weights.

    Args:
      recipe: what to train.
      directory: of the run.
      save_every: epochs between checkpoints.

    Returns:
      The trained model, holding the averaged weights.

    Raises:
      ValueError: if the folder holds a run of another recipe, or the loss becomes NaN.
    """
    directory = pathlib.Path(directory)
    _check_claim(recipe, directory)
    if (directory / "model.keras").exists():
        return load(directory)
    model = recipe.model()
    with atomic_write(directory / "recipe.json") as draft:
        draft.write_text(json.dumps(dataclasses.asdict(recipe), indent=2) + "\n")
    done = Checkpoint.restore(model, directory / "checkpoints")
    images = data.load(
        recipe.dataset,
        split="train",
        batch_size=recipe.batch_size,
        image_size=recipe.image_size,
        labels=recipe.conditional,
        seed=recipe.seed + done,
        repeat=True,
        drop_remainder=True,
    )
    history = model.fit(
        images,
        epochs=recipe.epochs,
        initial_epoch=done,
        steps_per_epoch=recipe.steps_per_epoch,
        callbacks=[
            Checkpoint(directory / "checkpoints", save_every),
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.CSVLogger(str(directory / "log.csv"), append=done > 0),
        ],
        shuffle=False,  # the pipeline did
        verbose=1 if sys.stdout.isatty() else 2,
    )
    losses = history.history.get("loss", [0.0])
    if not math.isfinite(losses[-1]):
        raise ValueError(
            f"the loss became {losses[-1]} in epoch {done + len(losses)}; a smaller learning rate "
            f"may help, received {recipe.learning_rate}; the checkpoint before it is kept"
        )
    save(model, directory / "model.keras")
    return model


def _check_claim(recipe: Recipe, directory: pathlib.Path) -> None:
    path = directory / "recipe.json"
    if not path.exists():
        return
    found = json.loads(path.read_text())
    for key, value in dataclasses.asdict(recipe).items():
        if found.get(key) != value:
            raise ValueError(
                f"{directory} holds a run with {key} = {found.get(key)!r}, received {value!r}; "
                "use another folder or the same settings"
            )
