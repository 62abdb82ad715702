"""Blurring diffusion: heat dissipation and noise, diagonal in the cosine basis."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.checks import finite, not_negative
from gddim_tf.image_size import ImageSize, compact, sides
from gddim_tf.numerics.dct import dct, inverse_dct, laplacian_modes
from gddim_tf.sdes.scalar import ScalarSDE
from gddim_tf.sdes.times import Times, check_times

# There is a matrix per frequency; those of one image of this size take hundreds of megabytes.
_LARGEST_IMAGE = 4096
# gDDIM's blur, in pixels of the images of CIFAR-10. On 8 x 8 pixels it would leave 4 % or less of
# every frequency but the mean at times above 0.6, where 32 x 32 keep 81 % of the lowest.
_BLUR, _BLUR_SIZE = 10.0, 32
_OFFSET = 0.004
_ANGLE_RATE = 0.5 * np.pi / (1 + 2 * _OFFSET)


@keras.saving.register_keras_serializable(package="gddim_tf")
class BDM(ScalarSDE):
    """`y_t = sqrt(a_t) d_t y_0 + sqrt(1 - a_t) z` per frequency of the orthonormal DCT.

    `a(t) = cos^2(pi/2 (t + 0.004) / 1.008)`; the blur at frequency (k, l) of an H x W image is
    `d = (1 - min_scale) exp(-lambda tau_t) + min_scale` with
    `lambda = pi^2 (k^2 / H^2 + l^2 / W^2)` and `tau_t = sigma_blur^2 sin^4(pi t / 2) / 2`. States
    are DCT coefficients; the network sees pixels. Frequencies with equal lambda share their
    numbers, so only distinct ones are kept.
    Blurring Diffusion Models (Hoogeboom and Salimans, 2023), section 4; constants as in gDDIM.

    Args:
      image_size: pixels a side, or (height, width).
      sigma_blur: the strongest blur, in pixels; 10 is for 32 x 32, see `for_images`.
      min_scale: the share of a frequency that no blur removes.
      t_min: where sampling ends.
      t_max: where sampling starts; by default where `rho` is 80 above its value at 0, as in gDDIM.

    Raises:
      ValueError: if the sizes are not positive or `min_scale` is not in (0, 1].

    Examples:
      >>> BDM(8).transition(1.0, 0.5).shape  # one number for each distinct frequency
      (34, 1, 1)
    """

    def __init__(
        self,
        image_size: ImageSize,
        sigma_blur: float = _BLUR,
        min_scale: float = 1e-3,
        t_min: float = 1e-5,
        t_max: float | None = None,
    ) -> None:
        both = image_size if isinstance(image_size, list | tuple) else (image_size,)
        if min(both) < 1:
            raise ValueError(f"`image_size` must be at least 1, received {image_size}")
        if max(both) > _LARGEST_IMAGE:
            raise ValueError(
                f"`image_size` must be at most {_LARGEST_IMAGE}, received {image_size}"
            )
        finite(min_scale=min_scale)
        not_negative(sigma_blur=sigma_blur)
        if not 0 < min_scale <= 1:
            raise ValueError(f"`min_scale` must be in (0, 1], received {min_scale}")
        self.image_size, self.sigma_blur = compact(image_size), float(sigma_blur)
        self.min_scale = float(min_scale)
        self._eigenvalues, self.mode_index = laplacian_modes(self.image_size)
        self.modes = self._eigenvalues.shape
        if t_max is None:
            start = _angle(0.0)
            t_max = float(_time_of_rho((80.0 + np.sin(start)) / np.cos(start)))
        self.t_min, self.t_max = check_times(t_min, t_max)

    @classmethod
    def for_images(cls, image_size: ImageSize) -> BDM:
        """The diffusion whose blur, below 32 pixels, is the same share of the width.

        Args:
          image_size: pixels a side, or (height, width).
        """
        return cls(image_size, sigma_blur=_BLUR * min(1.0, min(sides(image_size)) / _BLUR_SIZE))

    # ---- schedule -------------------------------------------------------------------------------

    def _decay(self, t: Times) -> np.ndarray:
        """What blur takes of a frequency, `[*times, modes]`."""
        sine = np.sin(0.5 * np.pi * np.asarray(t, np.float64)[..., None])
        tau = 0.5 * self.sigma_blur**2 * sine**4
        return (1 - self.min_scale) * np.exp(-self._eigenvalues * tau)

    def log_signal(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.log_signal`."""
        return 0.5 * _log_alpha(t)[..., None] + np.log(self._decay(t) + self.min_scale)

    def variance(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.variance`."""
        return np.broadcast_to(np.sin(_angle(t))[..., None] ** 2, (*np.shape(t), *self.modes))

    def log_signal_rate(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.log_signal_rate`."""
        half, decay = 0.5 * np.pi * np.asarray(t, np.float64)[..., None], self._decay(t)
        tau_rate = np.pi * self.sigma_blur**2 * np.sin(half) ** 3 * np.cos(half)
        blur_rate = -self._eigenvalues * tau_rate * decay / (decay + self.min_scale)
        return -_ANGLE_RATE * np.tan(_angle(t))[..., None] + blur_rate

    def variance_rate(self, t: Times) -> np.ndarray:
        """See `ScalarSDE.variance_rate`."""
        rate = _ANGLE_RATE * np.sin(2 * _angle(t))[..., None]
        return np.broadcast_to(rate, (*np.shape(t), *self.modes))

    def rho(self, t: Times) -> np.ndarray:
        """`tan` of the schedule's angle: noise over signal without the blur, `[*times]`."""
        return np.tan(_angle(t))

    def time_of_rho(self, rho: Times) -> np.ndarray:
        """The inverse of `rho`, `[*times]`."""
        return _time_of_rho(rho)

    def prior_scale(self) -> np.ndarray:
        """A standard normal in every frequency."""
        return np.ones((*self.modes, 1, 1))

    # ---- in TensorFlow --------------------------------------------------------------------------

    def kernel(self, t: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See `LinearSDE.kernel`; in closed form, because a table would hold every frequency.

        The published process starts from `sqrt(a_0) = 1 - 2e-5` of the image; this factor is part
        of the kernel here, not of `transition(t, 0)`.
        """
        angle = _ANGLE_RATE * (t + _OFFSET)
        sine = tf.sin(0.5 * np.pi * t)
        tau = 0.5 * self.sigma_blur**2 * sine**4
        decay = tf.exp(-tau[:, None] * tf.constant(self._eigenvalues, t.dtype))
        blur = (1 - self.min_scale) * decay + self.min_scale
        signal = tf.cos(angle)[:, None] * blur
        noise = tf.broadcast_to(tf.sin(angle)[:, None], tf.shape(signal))
        return signal[..., None, None], noise[..., None, None]

    def to_pixels(self, state: tf.Tensor) -> tf.Tensor:
        """The inverse DCT over height and width."""
        return inverse_dct(state, self.image_size)

    def from_pixels(self, values: tf.Tensor) -> tf.Tensor:
        """The DCT over height and width, orthonormal, type II."""
        return dct(values, self.image_size)

    def get_config(self) -> dict[str, Any]:
        """See `LinearSDE.get_config`."""
        return super().get_config()


def _angle(t: Times) -> np.ndarray:
    """`a = cos^2(angle)`."""
    return _ANGLE_RATE * (np.asarray(t, np.float64) + _OFFSET)


def _log_alpha(t: Times) -> np.ndarray:
    return 2 * np.log(np.cos(_angle(t)))


def _time_of_rho(rho: Times) -> np.ndarray:
    return np.arctan(rho) / _ANGLE_RATE - _OFFSET
