"""Where guidance leads: away from no class, away from a worse model, towards a user's classifier.

Each direction is a difference of two eps, `eps + (w - w_0) difference`, with `w_0` the weight at
which nothing changes: 1 for the first two, 0 for a classifier.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.checks import whole
from gddim_tf.models.clean_image import CleanImage
from gddim_tf.models.labels import one_per_image
from gddim_tf.models.subject import Guidable, KnowsEps
from gddim_tf.sdes import LinearSDE

if TYPE_CHECKING:
    import keras


@runtime_checkable
class Direction(Protocol):
    """A direction in the space of eps; hashable, because graphs are kept by it."""

    neutral: ClassVar[float]
    needs_labels: ClassVar[bool]

    def check(self, model: KnowsEps) -> None:
        """Raises `ValueError` if the model cannot be guided this way."""
        ...

    def check_labels(self, model: Guidable, labels: ArrayLike | None, count: int) -> np.ndarray:
        """One label per image, `[count]` int32."""
        ...

    def weights(self) -> Sequence[keras.Variable]:
        """What an export has to keep besides the model's."""
        ...

    def __call__(
        self, model: KnowsEps, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The eps of the model and the difference, both like `u`."""
        ...


def plain_eps(model: KnowsEps, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
    """The eps of a model that may have no classes, though there are labels for the guidance."""
    return model.eps(u, t, labels) if model.num_classes and labels is not None else model.eps(u, t)


@dataclasses.dataclass(frozen=True)
class Unlabelled:
    """Away from the model that is told no class, in one pass over a doubled batch.

    `eps(label) + (w - 1) (eps(label) - eps(none))`: classifier-free guidance (Ho and Salimans,
    2021), eq. 6.

    Examples:
      >>> import gddim_tf as gd
      >>> gd.guidance.Guidance(2.0).by  # unless told otherwise
      Unlabelled()
    """

    neutral: ClassVar[float] = 1.0
    needs_labels: ClassVar[bool] = True

    def check(self, model: KnowsEps) -> None:
        """See `Direction`; `check_labels` refuses a model without classes."""

    def check_labels(self, model: Guidable, labels: ArrayLike | None, count: int) -> np.ndarray:
        """See `Direction`."""
        return model.check_labels(labels, count)

    def weights(self) -> Sequence[keras.Variable]:
        """See `Direction`."""
        return ()

    def __call__(
        self, model: KnowsEps, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Direction`."""
        none = tf.fill(tf.shape(t), model.num_classes)
        both = model.eps(tf.concat([u, u], 0), tf.concat([t, t], 0), tf.concat([labels, none], 0))
        with_label, without = tf.split(both, 2)
        return with_label, with_label - without


@dataclasses.dataclass(frozen=True)
class Worse:
    """Away from a worse model of the same data: smaller, or trained for a shorter time.

    `eps + (w - 1) (eps - eps_worse)`, labels or not. Autoguidance (Karras et al., 2024), eq. 3.

    Args:
      model: the worse one, on the same diffusion and images.

    Raises:
      TypeError: if it is no model.

    Examples:
      >>> import gddim_tf as gd
      >>> worse = gd.load("saved_models/digits_vp")  # or one from early in the training
      >>> gd.guidance.Guidance(2.0, by=Worse(worse)).by.needs_labels
      False
    """

    model: KnowsEps
    neutral: ClassVar[float] = 1.0
    needs_labels: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not isinstance(getattr(self.model, "sde", None), LinearSDE):
            raise TypeError(f"`model` must be a GenerativeModel, received {self.model!r:.80}")

    def check(self, model: KnowsEps) -> None:
        """See `Direction`."""
        same = self.model.sde is model.sde or repr(self.model.sde) == repr(model.sde)
        if not same or tuple(self.model.image_shape) != tuple(model.image_shape):
            raise ValueError(
                f"the worse model must be of images {tuple(model.image_shape)} on {model.sde}, "
                f"received {tuple(self.model.image_shape)} on {self.model.sde}"
            )

    def check_labels(self, model: Guidable, labels: ArrayLike | None, count: int) -> np.ndarray:
        """See `Direction`."""
        return model.check_labels(labels, count)

    def weights(self) -> Sequence[keras.Variable]:
        """See `Direction`; a model that is no network keeps its own."""
        network = getattr(self.model, "network", None)
        return () if network is None else network.weights

    def __call__(
        self, model: KnowsEps, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Direction`."""
        eps = plain_eps(model, u, t, labels)
        return eps, eps - plain_eps(self.model, u, t, labels)


@dataclasses.dataclass(frozen=True)
class Classifier:
    """Towards a class by the gradient of a classifier: `eps - w R^T grad_u log p(label | u)`.

    The model may be one without classes. Diffusion models beat GANs (Dhariwal and Nichol, 2021),
    algorithm 1; with the gradient taken through the predicted clean image, Universal guidance
    (Bansal et al., 2023), eq. 5.

    Args:
      log_prob: hashable, made of TensorFlow's operations, from `(u, t, labels)` to
        `log p(label | u)` `[batch]`, u a noisy state; or, of clean images, from `(images, labels)`.
      num_classes: of the classifier.
      clean: whether it takes clean images; each evaluation is then followed by a reverse pass
        through the network, so that it costs about three times as much.

    Examples:
      >>> import gddim_tf as gd
      >>> def bright(images, labels):  # "log p" of two classes, dark and bright
      ...     sign = 2.0 * tf.cast(labels, images.dtype) - 1.0
      ...     return sign * tf.reduce_sum(images, axis=(1, 2, 3))
      >>> model = gd.load("saved_models/digits_vp")
      >>> guidance = gd.guidance.Guidance(3.0, by=Classifier(bright, 2, clean=True))
      >>> dark, light = model.sample(2, nfe=5, labels=[0, 1], guidance=guidance)
      >>> bool(dark.mean() < light.mean())
      True
    """

    log_prob: Callable[..., tf.Tensor]
    num_classes: int
    clean: bool = False
    neutral: ClassVar[float] = 0.0
    needs_labels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not callable(self.log_prob):
            raise TypeError(f"`log_prob` must be a function, received {self.log_prob!r}")
        whole("num_classes", self.num_classes, 1)

    def check(self, model: KnowsEps) -> None:
        """See `Direction`; every model will do."""

    def check_labels(self, model: Guidable, labels: ArrayLike | None, count: int) -> np.ndarray:
        """See `Direction`; the labels are those of the classifier."""
        if model.num_classes:
            return model.check_labels(labels, count)
        given = one_per_image(np.asarray(labels), count)
        if np.any((given < 0) | (given >= self.num_classes)):
            raise ValueError(
                f"`labels` must be in [0, {self.num_classes - 1}] for this classifier, received "
                f"{given.min()} to {given.max()}"
            )
        return given.astype(np.int32)

    def weights(self) -> Sequence[keras.Variable]:
        """See `Direction`."""
        return getattr(self.log_prob, "weights", ())

    def __call__(
        self, model: KnowsEps, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Direction`."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(u)
            if self.clean:
                eps = plain_eps(model, u, t, labels)
                log_prob = self.log_prob(CleanImage(model.sde, u, t, eps).image, labels)
            else:
                log_prob = self.log_prob(u, t, labels)
        if not tf.is_tensor(log_prob):
            raise TypeError(
                f"`log_prob` must return a tensor [batch], received {type(log_prob).__name__}"
            )
        gradient = tape.gradient(log_prob, u)
        if gradient is None:
            raise ValueError("`log_prob` must have a gradient in its first argument, received none")
        if not self.clean:
            eps = plain_eps(model, u, t, labels)
        return eps, CleanImage(model.sde, u, t, eps).scored(gradient) - eps
