"""What the network predicts, and how eps follows from it: a class and a line per prediction."""

from __future__ import annotations

import math

import tensorflow as tf

from gddim_tf.choice import one_of
from gddim_tf.models.noisy_states import NoisyStates
from gddim_tf.models.prediction_base import ImagePrediction, Prediction
from gddim_tf.numerics.small_matrices import determinant, diagonal
from gddim_tf.sdes import LinearSDE


class Eps(Prediction):
    """The output is eps (DDPM; gDDIM with `K = R`)."""

    def eps(self, output: tf.Tensor) -> tf.Tensor:
        """The output itself."""
        return output

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """The noise itself."""
        return noise


class EpsCholesky(Prediction):
    """The output is the eps of `K = L`, the Cholesky factor: `R eps_R = L eps_L`."""

    def eps(self, output: tf.Tensor) -> tf.Tensor:
        """`R^{-1} L` times the output."""
        return self.at.apply(self.at.rotation, output)

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """`L^{-1} R` times the noise."""
        return self.at.apply(tf.linalg.matrix_transpose(self.at.rotation), noise)


class Score(Prediction):
    """The output is `grad log p = -R^{-T} eps` (score_sde's VE networks)."""

    def eps(self, output: tf.Tensor) -> tf.Tensor:
        """`-R^T` times the output."""
        return -self.at.apply(tf.linalg.matrix_transpose(self.at.root), output)

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """`-R^{-T}` times the noise."""
        return -self.at.apply(tf.linalg.matrix_transpose(self.at.inverse), noise)


class EpsMixed(Prediction):
    """Eps is the output plus `R^{-1} (0, v)` (gDDIM's mixed score)."""

    components = (2, math.inf)

    def eps(self, output: tf.Tensor) -> tf.Tensor:
        """The output plus the mixed part."""
        return output + self._mixed()

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """The noise without the mixed part."""
        return noise - self._mixed()

    def _mixed(self) -> tf.Tensor:
        return self.at.apply(self.at.inverse[..., :, 1:], self.at.after(1))


class X0(ImagePrediction):
    """The output is the clean image."""

    def clean(self, output: tf.Tensor) -> tf.Tensor:
        """The output itself."""
        return output

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """The image itself."""
        return clean


class V(ImagePrediction):
    """The output is what a best guess leaves of the clean image, in units of that guess's error.

    The guess is for data of standard deviation s: with `b = s R^{-1} Psi_x` and `w = R^{-1} u`,
    `x0 / s = b.w / (1 + |b|^2) + out / sqrt(1 + |b|^2)`. On a variance preserving diffusion and
    s = 1 this is the v of Salimans and Ho (2022) with its sign turned; on `VESDE.karras()` it is
    the preconditioning of EDM (Karras et al., 2022, table 1) with `sigma_data = s`. The input is
    scaled to unit variance per component.
    """

    def inputs(self) -> tf.Tensor:
        """The states at unit variance."""
        noise = tf.reduce_sum(self.at.root**2, axis=-1, keepdims=True)
        variance = noise + (self.data_std * self.at.column) ** 2
        return self.at.apply(diagonal(tf.math.rsqrt(variance)), self.at.u)

    def clean(self, output: tf.Tensor) -> tf.Tensor:
        """The guess plus its error times the output."""
        guess, error = self._guess()
        return guess + self.at.apply(error, output)

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """What the guess leaves of the image, in units of its error."""
        guess, error = self._guess()
        return self.at.apply(1.0 / error, clean - guess)

    def _guess(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean of a normal clean image given the state, and its standard deviation."""
        b = self.data_std * self.at.b
        spread = 1.0 + tf.reduce_sum(b**2, axis=-2, keepdims=True)
        to_image = self.data_std * tf.linalg.matrix_transpose(b) / spread
        return self.at.apply(to_image, self.at.w), self.data_std * tf.math.rsqrt(spread)


class Flow(ImagePrediction):
    """The output is `z - x0`, the velocity of flow matching."""

    components = (1, 1)

    def clean(self, output: tf.Tensor) -> tf.Tensor:
        """`(u - R output) / (Psi_x + R)`."""
        total = 1.0 / (self.at.column + self.at.root)
        return self.at.apply(total, self.at.u - self.at.apply(self.at.root, output))

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Noise without image."""
        return noise - clean


class Velocity(ImagePrediction):
    """The output is `-L_vv` times the velocity component of the score (CLD-SGM).

    The clean image and with it all of eps follow from that component. With more components than two
    v is the last of them.
    """

    components = (2, math.inf)

    def clean(self, output: tf.Tensor) -> tf.Tensor:
        """What solves the last row of `R^{-T} (w - b x0) = L_vv^{-1} output + own score`."""
        row = self._row()
        score = -self.at.apply(1.0 / self._scale(), output) - self._own_score()
        return self.at.apply(1.0 / (row @ self.at.b), self.at.apply(row, self.at.w) + score)

    def target(self, clean: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """`-L_vv` times the velocity's score, without what is known of it."""
        score = -self.at.apply(self._row(), noise)
        return -self.at.apply(self._scale(), score + self._own_score())

    def _row(self) -> tf.Tensor:
        """The last row of `R^{-T}`: from eps to minus the velocity's score."""
        return tf.linalg.matrix_transpose(self.at.inverse)[..., -1:, :]

    def _scale(self) -> tf.Tensor:
        """`L_vv`, `[batch, *modes, 1, 1]`: what the other components leave of the velocity's."""
        others = determinant(self.at.covariance[..., :-1, :-1])
        return (tf.abs(determinant(self.at.root)) * tf.math.rsqrt(others))[..., None, None]

    def _own_score(self) -> tf.Tensor:
        """What is added to the network's part of minus the score: nothing."""
        return tf.zeros_like(self.at.after(self.at.sde.components - 1))


class VelocityMixed(Velocity):
    """The same with the score of a normal velocity, `-v / Sigma_vv`, added.

    CLD-SGM (Dockhorn et al., 2022), eq. 9.
    """

    def _own_score(self) -> tf.Tensor:
        """`v / Sigma_vv`."""
        velocity = self.at.after(self.at.sde.components - 1)
        return self.at.apply(1.0 / self.at.covariance[..., -1:, -1:], velocity)


PREDICTIONS: dict[str, type[Prediction]] = {
    "eps": Eps,
    "eps_cholesky": EpsCholesky,
    "score": Score,
    "eps_mixed": EpsMixed,
    "x0": X0,
    "v": V,
    "flow": Flow,
    "velocity": Velocity,
    "velocity_mixed": VelocityMixed,
}


def prediction_of(
    kind: str, sde: LinearSDE, u: tf.Tensor, t: tf.Tensor, data_std: float = 1.0
) -> Prediction:
    """A prediction at the states of a batch.

    Args:
      kind: a key of `PREDICTIONS`.
      sde: the diffusion.
      u: states `[batch, ..., k * C]` in the coordinates of the SDE.
      t: times `[batch]`.
      data_std: the standard deviation of the data that "v" assumes.

    Examples:
      >>> from gddim_tf.sdes import VPSDE
      >>> u, black = tf.ones((1, 4, 4, 1)), tf.zeros((1, 4, 4, 1))
      >>> x0 = prediction_of("x0", VPSDE(), u, tf.constant([0.9]))
      >>> x0.eps(black)[0, 0, 0, 0].numpy().round(2)
      np.float32(1.0)
    """
    return PREDICTIONS[kind](NoisyStates(sde, u, t), data_std)


def output_components(kind: str, sde: LinearSDE) -> int:
    """How many times C channels the network must return.

    Raises:
      ValueError: if there is no such prediction, or it is none for this diffusion.
    """
    one_of("prediction", kind, PREDICTIONS)
    prediction = PREDICTIONS[kind]
    if sde.signal_free and prediction.whole:
        usable = [f'"{n}"' for n, p in PREDICTIONS.items() if p.fits(sde) and not p.whole]
        raise ValueError(
            f"`prediction` must be {', '.join(usable[:-1])} or {usable[-1]} on {sde}, where no "
            f'signal is left at t_max, received "{kind}"'
        )
    if not prediction.fits(sde):
        fewest, most = prediction.components
        needed = f"{fewest} component{'s' if fewest > 1 else ''}"
        needed += " or more" if fewest < most else ""
        raise ValueError(f'`prediction` = "{kind}" needs an SDE of {needed}, received {sde}')
    return sde.components if prediction.whole else 1
