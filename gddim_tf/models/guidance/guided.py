"""Guidance: an eps that goes further in the direction of what is asked for."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.checks import GUIDANCE_RANGE, real
from gddim_tf.models.guidance.directions import Direction, Unlabelled, plain_eps
from gddim_tf.models.guidance.schedules import Schedule
from gddim_tf.models.subject import Guidable, KnowsEps
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE


@dataclasses.dataclass(frozen=True)
class Guidance:
    """How a draw is guided; a number alone is `Guidance(number)`.

    Args:
      weight: w; 1 is the plain model (0 for a `Classifier`).
      schedule: None for w at every evaluation, or `Interval`, `Linear`, `Cosine`: the share of
        `w - 1` (w for a `Classifier`) that each one gets. An evaluation whose share is 0 costs as
        much as without guidance.
      rescale: phi in [0, 1], how far the standard deviation of each image's eps is brought back to
        that of the plain one, against overexposed images; 0.7 is usual. Common diffusion noise
        schedules are flawed (Lin et al., 2024), eq. 15 and 16.
      by: what guides, `Unlabelled` (classifier-free), `Worse(model)` or `Classifier(log_prob)`.

    Raises:
      ValueError: if a number is out of range.
      TypeError: if an argument is of another kind.

    Examples:
      >>> import gddim_tf as gd
      >>> model = gd.load("saved_models/digits_vp")
      >>> interval = gd.guidance.Interval(low=0.2, high=5.0)
      >>> guidance = gd.guidance.Guidance(2.0, interval, rescale=0.7)
      >>> model.sample(2, nfe=5, labels=3, guidance=guidance).shape
      (2, 8, 8, 1)
    """

    weight: float = 1.0
    schedule: Schedule | None = None
    rescale: float = 0.0
    by: Direction = dataclasses.field(default_factory=Unlabelled)

    def __post_init__(self) -> None:
        real("guidance", self.weight, *GUIDANCE_RANGE)
        real("rescale", self.rescale, 0.0, 1.0)
        if self.schedule is not None and not callable(self.schedule):
            raise TypeError(
                f"`schedule` must be None or one such as Interval(0.2, 5.0), received "
                f"{self.schedule!r}"
            )
        if isinstance(self.by, type) or not isinstance(self.by, Direction):
            raise TypeError(
                f"`by` must be Unlabelled(), Worse(model), Classifier(log_prob, num_classes) or "
                f"one like them, received {self.by!r}"
            )

    @classmethod
    def of(cls, value: float | Guidance | None) -> Guidance | None:
        """The guidance of an argument: itself, a weight, or None."""
        return value if value is None or isinstance(value, Guidance) else cls(value)

    @classmethod
    def told(cls, value: float | Guidance | None) -> float | Guidance | None:
        """The guidance of an argument as a weight, where that is all that is asked for."""
        if isinstance(value, Guidance) and value == cls(value.weight):
            return value.weight
        return value

    def table(self, sde: LinearSDE, table: Table) -> Table:
        """A table whose rows know their share."""
        if self.schedule is None:
            return table
        shares = np.asarray(self.schedule(sde, table.time), np.float64)
        return dataclasses.replace(table, guidance=shares)

    def eps_fn(self, model: KnowsEps) -> Guided:
        """The guided eps of a model.

        Raises:
          ValueError: if the model cannot be guided this way.
        """
        self.by.check(model)
        return Guided(model, self.by, self.rescale)

    def context(
        self, model: Guidable, labels: ArrayLike | None, count: int
    ) -> dict[str, np.ndarray]:
        """What `eps_fn` is told of every image, one row each.

        Raises:
          ValueError: if a label is out of range, or needed and None.
        """
        context = {"guidance": np.full(count, self.weight, np.float32)}
        if labels is not None:
            context["labels"] = self.by.check_labels(model, labels, count)
        elif self.by.needs_labels:
            raise ValueError("`labels` must be given with `guidance`, received None")
        return context


@dataclasses.dataclass(frozen=True)
class Guided:
    """The `eps_fn` of a guided model; equal ones share their compiled graph.

    Args:
      model: whatever knows eps.
      by: the direction.
      rescale: phi of `Guidance`.

    Examples:
      >>> import gddim_tf as gd
      >>> model = gd.load("saved_models/digits_vp")
      >>> guided, u, t = Guided(model, Unlabelled()), tf.ones([1, 8, 8, 1]), tf.ones([1])
      >>> guided(u, t, tf.constant([3]), guidance=tf.constant([2.0])).shape
      TensorShape([1, 8, 8, 1])
    """

    model: KnowsEps
    by: Direction
    rescale: float = 0.0

    def __call__(
        self,
        u: tf.Tensor,
        t: tf.Tensor,
        labels: tf.Tensor | None = None,
        *,
        guidance: tf.Tensor,
        share: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """`eps + share (w - w_0) difference`, and the plain eps alone where all of that is 0.

        Args:
          u: states `[batch, ...]`.
          t: times `[batch]`.
          labels: None, or classes `[batch]`.
          guidance: w, `[batch]`.
          share: None for 1, or `[batch]`.

        Returns:
          eps, like `u`.
        """
        extent = tf.cast(guidance, u.dtype) - self.by.neutral
        if share is not None:
            extent *= tf.cast(share, u.dtype)
        return tf.cond(
            tf.reduce_any(extent != 0),
            lambda: self._steered(u, t, labels, extent),
            lambda: plain_eps(self.model, u, t, labels),
        )

    def _steered(
        self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None, extent: tf.Tensor
    ) -> tf.Tensor:
        plain, difference = self.by(self.model, u, t, labels)
        eps = plain + tf.reshape(extent, [-1] + [1] * (u.shape.rank - 1)) * difference
        if not self.rescale:
            return eps
        ratio = tf.math.divide_no_nan(_deviation(plain), _deviation(eps))
        return (1 - self.rescale + self.rescale * ratio) * eps


def _deviation(values: tf.Tensor) -> tf.Tensor:
    return tf.math.reduce_std(values, axis=tuple(range(1, values.shape.rank)), keepdims=True)
