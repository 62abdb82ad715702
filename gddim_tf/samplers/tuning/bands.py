"""Pixels that share one set of weights: all of them, or bands of similar modes."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from gddim_tf.sdes import LinearSDE

# Bands of the modes, of equal widths in the root of the number of values below.
_BANDS = 24


class Bands:
    """The values of an image in groups that share what is fitted.

    Without modes there is one group. With modes (frequencies of a blur) each group holds those
    whose signal fades alike; what is fitted corrects weights that each mode has by itself.

    Args:
      sde: the diffusion.
      image_shape: `(height, width, C)`.

    Attributes:
      components: k of the diffusion.
      members: for each band the positions of its values in a flattened image.
    """

    def __init__(self, sde: LinearSDE, image_shape: tuple[int, ...]) -> None:
        self._modes, self.components = sde.modes, sde.components
        mode = np.arange(int(np.prod(sde.modes))).reshape(sde.modes)
        if sde.mode_index is not None:
            mode = mode[sde.mode_index]
        mode = np.broadcast_to(mode, image_shape).ravel()
        self._band = _bands_of_modes(sde, np.bincount(mode, minlength=int(np.prod(sde.modes))))
        self.members = [np.flatnonzero(self._band[mode] == b) for b in range(self._band.max() + 1)]

    def per_value(self, state: tf.Tensor | np.ndarray) -> np.ndarray:
        """`[batch, ..., k * C]` -> `[batch, values of an image, k]`, in float64."""
        parts = np.split(np.asarray(state, np.float64), self.components, axis=-1)
        return np.stack([part.reshape(len(part), -1) for part in parts], axis=-1)

    def spread(self, per_band: np.ndarray) -> np.ndarray:
        """`[bands, ...]` -> `[*modes, ...]`: what a band has, all its modes have."""
        return per_band[self._band].reshape(*self._modes, *per_band.shape[1:])


def _bands_of_modes(sde: LinearSDE, values: np.ndarray) -> np.ndarray:
    """The band of each mode, `[modes]`, given how many values of an image each mode has."""
    times = np.linspace(sde.t_min, sde.t_max, 33)[1:]
    signal = sde.transition(times, np.zeros_like(times))[..., 0, 0].reshape(len(times), -1)
    order = np.argsort(-np.log(np.abs(signal)).sum(axis=0), kind="stable")
    below = np.cumsum(values[order]) - 0.5 * values[order]
    band = np.empty(len(order), int)
    band[order] = np.minimum(_BANDS * np.sqrt(below / values.sum()), _BANDS - 1)
    return np.unique(band, return_inverse=True)[1]
