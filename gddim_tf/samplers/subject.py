"""What a sampler may ask of a model: a part of `models.GenerativeModel`, which stands on it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.sdes import LinearSDE


class Fingerprinted(Protocol):
    """A model that a table may have been fitted to."""

    @property
    def sde(self) -> LinearSDE:
        """Its diffusion."""
        ...

    def fingerprint(self) -> str:
        """A name of the weights."""
        ...


class Tunable(Fingerprinted, Protocol):
    """A model that a table can be fitted to."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, C)` of one image."""
        ...

    @property
    def num_classes(self) -> int:
        """0 for a model without classes."""
        ...

    def eps(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """The prediction of the noise."""
        ...

    def guided_eps(
        self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor, guidance: tf.Tensor
    ) -> tf.Tensor:
        """The same, with a weight of the class."""
        ...

    def check_labels(self, labels: ArrayLike | None, count: int) -> np.ndarray:
        """One label per image."""
        ...
