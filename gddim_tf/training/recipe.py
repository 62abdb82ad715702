"""A training run as data."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

import keras

from gddim_tf import data, sdes
from gddim_tf.checks import SEED_RANGE, real, whole
from gddim_tf.image_size import ImageSize, compact, sides
from gddim_tf.models.averaging_adam import AveragingAdam
from gddim_tf.models.diffusion_model import DiffusionModel

PRECISIONS = ("float32", "mixed_bfloat16")

_LARGEST_BATCH = 2**20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that a training run needs to be repeated; the defaults suit the digits.

    Args:
      dataset: a name that `data.load` knows.
      sde: a name that `sdes.make` knows.
      network: a preset of `ScoreUNet`.
      prediction: what the network predicts; see `models.prediction.PREDICTIONS`.
      data_std: the standard deviation of the data that "v" assumes.
      weighting: of the loss, "target", "eps" or "min_snr"; see
        `Prediction.error`.
      steps: batches.
      batch_size: images per step, of all devices and workers together.
      accumulate: steps whose gradients are added up for one update of the weights, so that a batch
        may be larger than memory; `warmup` and `ema` count updates.
      learning_rate: of Adam, after the warm-up.
      warmup: updates over which the learning rate grows linearly from 0.
      decay: whether the learning rate falls to 0 along a cosine after the warm-up.
      ema: decay of the average of the weights, which warms up by itself; see
        `training.AveragingAdam`.
      clip: largest global norm of the gradient.
      conditional: whether the network is told the labels.
      label_dropout: how often it is not, in training, for classifier-free guidance.
      image_size: pixels a side, or (height, width); None for the data set's own.
      flip: whether images are mirrored at random; None for what suits the data set.
      dropout: None for the preset's own.
      precision: "float32" or "mixed_bfloat16"; weights and states are float32 in both.
      jit: whether the step is compiled with XLA, for GPU and TPU.
      seed: of weights, shuffling, times and noise.
      steps_per_epoch: how often progress is reported and saved; the last epoch has what is left.

    Raises:
      ValueError: if a setting is out of its range, or of another type.

    Examples:
      >>> Recipe(sde="cld", steps=500).model().sde.components
      2
    """

    dataset: str = "digits"
    sde: str = "vp"
    network: str = "ddpm_digits"
    prediction: str = "v"
    data_std: float = 1.0
    weighting: str = "target"
    steps: int = 3000
    batch_size: int = 128
    accumulate: int = 1
    learning_rate: float = 2e-3
    warmup: int = 200
    decay: bool = True
    ema: float = 0.995
    clip: float = 1.0
    conditional: bool = False
    label_dropout: float = 0.1
    image_size: ImageSize | None = None
    flip: bool | None = None
    dropout: float | None = None
    precision: str = "float32"
    jit: bool = False
    seed: int = 0
    steps_per_epoch: int = 250

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "steps_per_epoch"):
            whole(name, getattr(self, name), 1, 2**31 - 1)
        whole("batch_size", self.batch_size, 1, _LARGEST_BATCH)
        whole("warmup", self.warmup, 0)
        whole("seed", self.seed, 0, SEED_RANGE[1])
        real("learning_rate", self.learning_rate, 0.0, above=True)
        real("clip", self.clip, 0.0, above=True)
        real("data_std", self.data_std, 0.0, above=True)
        real("ema", self.ema, 0.0, 1.0)
        real("label_dropout", self.label_dropout, 0.0, 1.0)
        if self.dropout is not None:
            real("dropout", self.dropout, 0.0, 0.999)
        if self.precision not in PRECISIONS:
            raise ValueError(f"`precision` must be one of {PRECISIONS}, received {self.precision}")
        if self.image_size is not None:
            object.__setattr__(self, "image_size", compact(self.image_size))
            for side in sides(self.image_size):
                whole("image_size", side, 1, 2**14)

    def model(self) -> DiffusionModel:
        """A new model, compiled."""
        keras.utils.set_random_seed(self.seed)
        info = data.info(self.dataset)
        size = self.image_size or info.image_size
        sde = sdes.make(self.sde, size)
        overrides = {
            "image_size": size,
            "channels": info.channels,
        }
        if self.conditional and not info.num_classes:
            raise ValueError(
                f"`conditional` must be False for {self.dataset}, which has no classes, received "
                "True (on the command line --no-conditional)"
            )
        if self.conditional:
            overrides["num_classes"] = info.num_classes
        if self.dropout is not None:
            overrides["dropout"] = self.dropout
        with self._size_explained(info):
            model = DiffusionModel.from_preset(
                self.network,
                sde,
                self.prediction,
                data_std=self.data_std,
                label_dropout=self.label_dropout,
                weighting=self.weighting,
                seed=self.seed,
                class_names=info.class_names if self.conditional else (),
                dtype=self.precision,
                **overrides,
            )
        model.compile(
            optimizer=AveragingAdam(
                self.schedule(),
                ema_momentum=self.ema,
                global_clipnorm=self.clip,
                gradient_accumulation_steps=self.accumulate if self.accumulate > 1 else None,
            ),
            jit_compile=self.jit,
        )
        return model

    @contextlib.contextmanager
    def _size_explained(self, info: data.DataInfo) -> Iterator[None]:
        """Say where a size comes from that nobody asked for and that does not suit the network."""
        try:
            yield
        except ValueError as error:
            if self.image_size is not None or "`image_size`" not in str(error):
                raise
            raise ValueError(
                f"{error}, the shortest side of the images of {self.dataset}: name another"
            ) from error

    def schedule(self) -> keras.optimizers.schedules.LearningRateSchedule | float:
        """The learning rate by update."""
        if self.decay:
            return keras.optimizers.schedules.CosineDecay(
                0.0,
                max(self.steps // self.accumulate - self.warmup, 1),
                warmup_target=self.learning_rate,
                warmup_steps=self.warmup,
            )
        if not self.warmup:
            return self.learning_rate
        return keras.optimizers.schedules.PolynomialDecay(
            0.0, self.warmup, end_learning_rate=self.learning_rate
        )
