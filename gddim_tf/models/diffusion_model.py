"""A network and an SDE as a Keras model: compile, fit, sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from gddim_tf.checks import SEED_RANGE, real, whole
from gddim_tf.choice import one_of
from gddim_tf.digest import weights_fingerprint
from gddim_tf.image_size import sides
from gddim_tf.models.cast_once import cast_once
from gddim_tf.models.denoising_training import DenoisingTraining
from gddim_tf.models.fitting_network import check_network, checked_names, preset_network
from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.models.prediction import prediction_of
from gddim_tf.models.prediction_base import WEIGHTINGS, Prediction
from gddim_tf.models.training_batch import check_images, kept_labels
from gddim_tf.models.training_noise import TrainingNoise, training_noise, validation_noise
from gddim_tf.networks import Architecture
from gddim_tf.sdes import LinearSDE


@keras.saving.register_keras_serializable(package="gddim_tf")
class DiffusionModel(GenerativeModel, DenoisingTraining):
    """`eps(u, t)` of a diffusion, trained by `E |network(Psi u_0 + R z, t) - target|^2`.

    With `prediction="eps"` the target is z: gDDIM's eq. 5 with `K = R` and unit weights, which for
    a VPSDE is DDPM's simple loss and for CLD hybrid score matching. "v" trains faster.

    `fit` takes images `[batch, height, width, C]` in [-1, 1], or `(images, labels)` for a network
    with classes. Keras' own options do the rest: `Adam(use_ema=True)` keeps the average of the
    weights, which is what the model holds after `fit`; `global_clipnorm`,
    `gradient_accumulation_steps` and dtype policies work as usual.

    Args:
      network: a Keras model `(x, time_label, labels=None, training=False) -> eps`, such as
        `networks.ScoreUNet`, or a functional one with the inputs `[x, time_label]`, or with
        `labels` as well, for states of `sde.components * C` channels. It must tell
        `image_size` (pixels a side, or (height, width)), `channels` (C), `components` (those of
        the SDE), `out_channels` (of its output) and `num_classes` (0 without).
      sde: the diffusion.
      prediction: what the network predicts, such as "eps", "x0" or "v"; a key of
        `models.prediction.PREDICTIONS`.
        The last two need C output channels only.
      data_std: the standard deviation of the data that "v" assumes.
      label_dropout: how often a label is replaced by the null class in training, so that the
        network can be guided.
      weighting: of the squared error, "target", "eps" or "min_snr"; see `Prediction.error`.
      seed: of the times and noise of training; step n of a run always draws the same.
      class_names: of each class, or nothing.

    Raises:
      ValueError: if the network lacks one of its numbers, or was made for another number of
        components or output channels.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> model = DiffusionModel.from_preset("ddpm_tiny", VPSDE())
      >>> model.sample(2, nfe=3, seed=0).shape
      (2, 8, 8, 1)
    """

    prediction: str

    def __init__(
        self,
        network: keras.Model,
        sde: LinearSDE,
        prediction: str = "eps",
        data_std: float = 1.0,
        label_dropout: float = 0.1,
        weighting: str = "target",
        seed: int = 0,
        class_names: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # states stay float32 under any policy
        network = check_network(network, sde, prediction)
        if not 0 <= label_dropout <= 1:
            raise ValueError(f"`label_dropout` must be in [0, 1], received {label_dropout}")
        real("data_std", data_std, 0.0, above=True)
        whole("seed", seed, *SEED_RANGE)
        one_of("weighting", weighting, WEIGHTINGS)
        self.class_names = checked_names(class_names, network)
        self.network, self.sde, self.prediction = network, sde, prediction
        self.data_std, self.label_dropout = data_std, label_dropout
        self.weighting, self.seed = weighting, seed
        self._loss = keras.metrics.Mean(name="loss")
        # saved with the weights, so that a run that goes on draws what it would have drawn
        self._step = self.add_weight(
            name="step",
            initializer="zeros",
            dtype="int32",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.built = True  # the network made its weights when it was made

    @classmethod
    def from_preset(
        cls,
        preset: str,
        sde: LinearSDE,
        prediction: str = "eps",
        **options: Any,
    ) -> DiffusionModel:
        """A model around a named network, whose channels follow from the diffusion.

        For example `DiffusionModel.from_preset("ddpm_digits", sdes.CLD(), "v", num_classes=10)`.

        Args:
          preset: a key of `networks.PRESETS`.
          sde: the diffusion.
          prediction: what the network predicts.
          **options: of `ScoreUNet` where they differ from the preset, and of the constructor.

        Returns:
          The model, with new weights.

        Raises:
          ValueError: if there is no such preset, or an option is out of its range.
        """
        names = {"dtype", *(field.name for field in dataclasses.fields(Architecture))}
        changed = {name: options.pop(name) for name in names & options.keys()}
        return cls(preset_network(preset, sde, prediction, changed), sde, prediction, **options)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, C)` of one image."""
        return (*sides(self.network.image_size), self.network.channels)

    @property
    def num_classes(self) -> int:
        """Classes of the network, 0 without."""
        return self.network.num_classes

    @property
    def steps_done(self) -> int:
        """Steps that the model has been trained for."""
        return int(self._step.numpy())

    def call(
        self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Predict eps.

        Args:
          u: states `[batch, height, width, k * C]` in the coordinates of the SDE.
          t: times `[batch]` in [t_min, t_max].
          labels: None, or classes `[batch]`; the number of classes itself means none.
          training: whether dropout is on.

        Returns:
          eps, like `u`.
        """
        prediction = prediction_of(self.prediction, self.sde, u, t, self.data_std)
        return prediction.sampled(self._output(prediction, t, labels, training))

    def _output(
        self, prediction: Prediction, t: tf.Tensor, labels: tf.Tensor | None, training: bool
    ) -> tf.Tensor:
        inputs = prediction.inputs()
        time = self.sde.time_label(t)
        output = self.network(self.sde.to_pixels(inputs), time, labels, training=training)
        return self.sde.from_pixels(tf.cast(output, inputs.dtype))

    def eps(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """`call` without dropout: the `eps_fn` of the samplers."""
        with cast_once(self.network):
            return self.call(u, t, labels)

    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell these weights from others."""
        return weights_fingerprint(self.network.get_weights())

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The mean loss alone: a denoised batch has no prediction that other metrics could rate."""
        return [self._loss]

    def compute_loss(
        self,
        x: tf.Tensor | None = None,
        y: tf.Tensor | None = None,
        y_pred: tf.Tensor | None = None,
        sample_weight: tf.Tensor | None = None,
        training: bool = True,
    ) -> tf.Tensor:
        """The denoising loss of a batch, a scalar.

        Args:
          x: images `[batch, height, width, C]` in [-1, 1], float.
          y: None, or labels `[batch]`.
          y_pred: not used.
          sample_weight: None, or weights `[batch]`.
          training: whether times and noise are fresh (training) or the fixed ones of validation.

        Returns:
          The mean over the batch of the mean squared error per component.

        Raises:
          ValueError: if the images are not float or not of the network's shape.
          InvalidArgumentError: if a pixel is not finite or far beyond 1, or a label is unknown.
        """
        images = check_images(x, self.image_shape, "training images")
        random = self._noise(tf.shape(images)[0], training)
        labels = kept_labels(y, random.keep_label if training else None, self.num_classes)
        t = self.sde.training_times(random.uniform)
        u = self.sde.perturb(images, t, random.noise)
        prediction = prediction_of(self.prediction, self.sde, u, t, self.data_std)
        output = self._output(prediction, t, labels, training)
        clean = self.sde.from_pixels(images)
        error = prediction.error(output, clean, random.noise, self.weighting)
        loss = tf.reduce_mean(tf.square(error), axis=tuple(range(1, error.shape.rank)))
        if sample_weight is not None:
            loss = loss * tf.cast(sample_weight, loss.dtype)
        return tf.reduce_mean(loss)

    def _noise(self, batch: tf.Tensor, training: bool) -> TrainingNoise:
        shape = (*self.image_shape[:-1], self.sde.components * self.image_shape[-1])
        if training:
            return training_noise(self.seed, self._step.value, batch, shape, self.label_dropout)
        return validation_noise(self._loss.count, batch, shape, self.label_dropout)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, serialised."""
        return {
            "network": keras.saving.serialize_keras_object(self.network),
            "sde": keras.saving.serialize_keras_object(self.sde),
            "prediction": self.prediction,
            "data_std": self.data_std,
            "label_dropout": self.label_dropout,
            "weighting": self.weighting,
            "seed": self.seed,
            "class_names": list(self.class_names),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> DiffusionModel:
        """The model that `get_config` described, with new weights."""
        config = dict(config)
        for key in ("network", "sde"):
            config[key] = keras.saving.deserialize_keras_object(config[key], custom_objects)
        return cls(**config)
