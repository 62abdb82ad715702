"""Restoration: samplers that are told a part or a measurement of the image.

Both wrap an `eps_fn` and change its `E[x0 | u]`, so that the loop, the samplers and the diffusions
stay as they are. What is known comes as context, one row per image.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from gddim_tf.choice import one_of_few
from gddim_tf.models.clean_image import CleanImage
from gddim_tf.models.operators import LinearOperator
from gddim_tf.models.operators.linear_operator import column
from gddim_tf.samplers.loop import EpsFn
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True)
class Inpainting:
    """The eps of a model whose images have known pixels, `x0' = m x + (1 - m) x0`.

    DDNM (Wang et al., 2023), eq. 13, for a mask; equal ones share their compiled graph.

    Args:
      eps_fn: of the model, guided or not.
      sde: its diffusion.
    """

    eps_fn: EpsFn
    sde: LinearSDE

    def __call__(
        self, u: tf.Tensor, t: tf.Tensor, *, known: tf.Tensor, mask: tf.Tensor, **context: Any
    ) -> tf.Tensor:
        """The eps that goes with the known pixels.

        Args:
          u: states `[batch, height, width, k * C]`.
          t: times `[batch]`.
          known: images `[batch, height, width, C]`, of which only the known pixels matter.
          mask: 1 where they are known, `[batch, height, width, 1 or C]`.
          **context: of `eps_fn`.

        Returns:
          eps, like `u`.
        """
        clean = CleanImage(self.sde, u, t, self.eps_fn(u, t, **context))
        known, mask = tf.cast(known, u.dtype), tf.cast(mask, u.dtype)
        return clean.moved(mask * (known - clean.image))

    @staticmethod
    def end(images: tf.Tensor, rows: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Images at the end of a draw, without the noise of `t_min` in what is known.

        Args:
          images: `[batch, height, width, C]`.
          rows: `known` and `mask`, as for the call.
        """
        return tf.where(rows["mask"] > 0, rows["known"], images)


@dataclasses.dataclass(frozen=True)
class Restoration:
    """The eps of a model whose images have been measured, `y = A x + sigma n`.

    With a pixel of variance `r^2` given the state (`CleanImage.variance`), both methods use
    `d = A^T (A A^T + sigma^2 / r^2)^{-1} (y - A x0)`:

    - "ddnm": `x0' = x0 + d`, which without noise puts in the range-space part `A^+ y`: DDNM (Wang
      et al., 2023), eq. 13. With noise each singular value s is put in by
      `s^2 / (s^2 + sigma^2 / r^2)` only, the weight of a normal posterior in the place of DDNM+'s
      clipped one (eq. 19), whose noise belongs to the ancestral sampler.
    - "pigdm": `eps' = eps - R^T (d x0 / d u)^T d / r^2`, the score of the measurement: PiGDM (Song
      et al., 2023), eq. 7. Its reverse pass through the network makes an evaluation about three
      times as long.
    - "dps": `eps' = eps + c R^T grad_u |y - A x0|`, a step whose size does not depend on that of
      the misfit: DPS (Chung et al., 2023), algorithm 1, which scales by `1 / |y - A x0|`. With
      `c = step sqrt(m / (r^2 + sigma^2))` for m measured numbers a step of 1 is that of "pigdm"
      where the misfit is as large as it should be and the rows of A are orthonormal, for any number
      of evaluations. Takes as long as "pigdm".

    On independent normal data of standard deviation `data_std` the first two are exact. Otherwise
    "ddnm" leaves out what the measurement tells of other pixels than its own, and "pigdm" takes
    them to be independent given the state in the variance only. "dps" is biased where there is
    noise.

    Args:
      eps_fn: of the model, guided or not.
      sde: its diffusion.
      operator: A.
      method: "ddnm", "pigdm" or "dps".
      data_std: the standard deviation of the data, in pixels of [-1, 1].
      step: of "dps".
    """

    eps_fn: EpsFn
    sde: LinearSDE
    operator: LinearOperator
    method: str = "ddnm"
    data_std: float = 1.0
    step: float = 1.0

    def __post_init__(self) -> None:
        one_of_few("method", self.method, "ddnm", "pigdm", "dps")

    def __call__(
        self,
        u: tf.Tensor,
        t: tf.Tensor,
        *,
        measurement: tf.Tensor,
        noise_std: tf.Tensor,
        **context: Any,
    ) -> tf.Tensor:
        """The eps that goes with the measurement.

        Args:
          u: states `[batch, height, width, k * C]`.
          t: times `[batch]`.
          measurement: y, `[batch, ...]`.
          noise_std: sigma, `[batch]`.
          **context: of `eps_fn`.

        Returns:
          eps, like `u`.
        """
        measurement, noise_std = (tf.cast(v, u.dtype) for v in (measurement, noise_std))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            if self.method != "ddnm":
                tape.watch(u)
            clean = CleanImage(self.sde, u, t, self.eps_fn(u, t, **context))
            image = clean.image
            measured = self.operator.apply(image)
        variance, misfit = clean.variance(self.data_std), measurement - measured
        towards = self.operator.inverse(misfit, noise_std**2 / variance)
        if self.method == "ddnm":
            return clean.moved(towards)
        if self.method == "pigdm":
            pull = towards / column(variance, u)
            return clean.scored(tape.gradient(image, u, output_gradients=pull), towards)
        pull = self.step * _direction(misfit) / column(tf.sqrt(variance + noise_std**2), misfit)
        return clean.scored(tape.gradient(measured, u, output_gradients=pull), towards)

    def end(self, images: tf.Tensor, rows: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Images at the end of a draw, made to agree with a measurement without noise.

        Args:
          images: `[batch, height, width, C]`.
          rows: `measurement` and `noise_std`, as for the call.
        """
        noise_std = rows["noise_std"]
        misfit = rows["measurement"] - self.operator.apply(images)
        towards = self.operator.inverse(misfit, tf.zeros_like(noise_std))
        exact = tf.reshape(noise_std == 0, [-1] + [1] * (images.shape.rank - 1))
        return images + tf.where(exact, towards, 0.0)


def _direction(misfit: tf.Tensor) -> tf.Tensor:
    """The misfit of each image with a root mean square of 1, or 0 where there is none."""
    square = tf.reduce_mean(misfit**2, axis=tuple(range(1, misfit.shape.rank)), keepdims=True)
    return tf.math.divide_no_nan(misfit, tf.sqrt(square))
