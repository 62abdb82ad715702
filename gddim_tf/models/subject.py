"""What guidance and draws ask of a model: parts of `GenerativeModel`, which stands on them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.samplers.subject import Fingerprinted
from gddim_tf.sdes import LinearSDE


class KnowsEps(Protocol):
    """What guidance asks of a model while it draws."""

    @property
    def sde(self) -> LinearSDE:
        """The diffusion."""
        ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, C)`."""
        ...

    @property
    def num_classes(self) -> int:
        """0 without."""
        ...

    def eps(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """The network."""
        ...


class Guidable(KnowsEps, Fingerprinted, Protocol):
    """What a draw asks of a model."""

    def check_labels(self, labels: ArrayLike | None, count: int) -> np.ndarray:
        """One label per image."""
        ...
