"""What every prediction of a network has: eps that follows from it, and an error to train on."""

from __future__ import annotations

import abc
import math
from typing import ClassVar

import tensorflow as tf

from gddim_tf.models.noisy_states import NoisyStates
from gddim_tf.numerics.small_matrices import diagonal
from gddim_tf.sdes import LinearSDE

# How the squared error is weighted over times and modes.
WEIGHTINGS = ("target", "eps", "min_snr")

# gamma of Min-SNR, the value its authors recommend.
_LARGEST_SNR = 5.0


class Prediction(abc.ABC):
    """From the network's output to eps at given states and times, and back for training.

    A prediction defines `eps` and `target`, in the coordinates of the SDE.

    Args:
      states: at which the network is asked.
      data_std: the standard deviation of the data, for those that assume one.

    Attributes:
      whole: whether the output has k * C channels (all components of a state), or C.
      components: the fewest and the most components k of a diffusion that it is for.
    """

    whole: ClassVar[bool] = True
    components: ClassVar[tuple[int, float]] = (1, math.inf)

    def __init__(self, states: NoisyStates, data_std: float = 1.0) -> None:
        self.at, self.data_std = states, data_std

    @classmethod
    def fits(cls, sde: LinearSDE) -> bool:
        """Whether the diffusion has as many components as it takes."""
        fewest, most = cls.components
        return fewest <= sde.components <= most

    def inputs(self) -> tf.Tensor:
        """What the network is given, before `to_pixels`."""
        return self.at.u

    @abc.abstractmethod
    def eps(self, output: tf.Tensor) -> tf.Tensor:
        """The eps `[batch, ..., k * C]` of an output of the network."""

    @abc.abstractmethod
    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """What the output should be, from the clean image and the noise."""

    def sampled(self, output: tf.Tensor) -> tf.Tensor:
        """What samplers are told: eps."""
        return self.eps(output)

    def error(
        self, output: tf.Tensor, clean: tf.Tensor, noise: tf.Tensor, weighting: str
    ) -> tf.Tensor:
        """What training squares.

        - "target": the error of the network's output, whatever that is.
        - "eps": the error of the eps that follows from it.
        - "min_snr": the same times the square root of `min(SNR, 5) / SNR`, with the signal to noise
          ratio `SNR = s^2 Psi_x^T Sigma^{-1} Psi_x` of each mode (Hang et al., 2023, eq. 6, for any
          linear diffusion).

        Args:
          output: of the network.
          clean: images in SDE coordinates.
          noise: that `u` was made with.
          weighting: one of the above.
        """
        if weighting == "target":
            return output - self.target(clean, noise)
        error = self.eps(output) - noise
        if weighting == "eps":
            return error
        snr = tf.reduce_sum((self.data_std * self.at.b) ** 2, axis=-2, keepdims=True)
        factor = tf.sqrt(tf.minimum(1.0, tf.math.divide_no_nan(_LARGEST_SNR, snr)))
        factor = tf.where(snr > 0, factor, 1.0)
        return self.at.apply(diagonal(factor * tf.ones_like(self.at.column)), error)


class ImagePrediction(Prediction):
    """Base of those that tell the clean image: `eps = R^{-1} u - b x0`."""

    whole = False

    @abc.abstractmethod
    def clean(self, output: tf.Tensor) -> tf.Tensor:
        """The clean image `[batch, ..., C]` of an output of the network."""

    def eps(self, output: tf.Tensor) -> tf.Tensor:
        """See `Prediction.eps`."""
        return self.at.w - self.at.apply(self.at.b, self.clean(output))

    def sampled(self, output: tf.Tensor) -> tf.Tensor:
        """Eps, but the clean state where no signal is left of it."""
        if not self.at.sde.signal_free:
            return self.eps(output)
        return tf.where(self.at.at_the_end, self.clean(output), self.eps(output))
