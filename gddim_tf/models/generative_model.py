"""Whatever knows eps, and what can be done with it: sample, be guided by a class, encode."""

from __future__ import annotations

import abc

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.models.batches import collected
from gddim_tf.models.drawing import conditions, draw
from gddim_tf.models.editing import Editing
from gddim_tf.models.guidance import Guidance, Guided, Unlabelled
from gddim_tf.models.labels import checked_labels
from gddim_tf.models.training_batch import check_images
from gddim_tf.numerics.image_noise import image_seeds, normal_per_image
from gddim_tf.samplers.adaptive import RK45
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.loop import run
from gddim_tf.samplers.parse import AnySampler, chosen
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE


class GenerativeModel(Editing, abc.ABC):
    """A diffusion and its eps: a trained network, one loaded from its export, or your own.

    Everything below stands on `eps`. For example, the exact model of images that are all black:

        >>> import gddim_tf as gd
        >>> class Black(gd.GenerativeModel):
        ...     sde, image_shape, num_classes = gd.sdes.VPSDE(), (2, 2, 1), 0
        ...     def eps(self, u, t, labels=None):
        ...         signal, root = self.sde.kernel(t)  # [batch, 1, 1] each
        ...         return (u + signal[..., None]) / root[..., None]
        ...     def fingerprint(self):
        ...         return "black"
        >>> Black().sample(1, nfe=5).mean().round(1)
        np.float32(-1.0)

    Attributes:
      sde: the diffusion.
      image_shape: `(height, width, C)`.
      num_classes: 0 without classes; the number itself stands for no class.
      class_names: of each class, or nothing; labels may be given by them.
      prediction: what its network predicts; None where that is not known, as of an export.
    """

    sde: LinearSDE
    image_shape: tuple[int, int, int]
    num_classes: int
    class_names: tuple[str, ...] = ()
    prediction: str | None = None

    def __repr__(self) -> str:
        size = "x".join(str(side) for side in self.image_shape)
        classes = f", {self.num_classes} classes" if self.num_classes else ""
        return f"{type(self).__name__}({self.sde!r}, images {size}{classes})"

    @abc.abstractmethod
    def eps(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """The network: the `eps_fn` of the samplers.

        Args:
          u: states `[batch, height, width, k * C]` in the coordinates of the SDE.
          t: times `[batch]` in [t_min, t_max].
          labels: None, or classes `[batch]`.

        Returns:
          eps, like `u`; the score is `-R(t)^{-T} eps`.
        """

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell these weights from others."""

    def guided_eps(
        self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor, guidance: tf.Tensor
    ) -> tf.Tensor:
        """Eps under classifier-free guidance, `w` of each image in `guidance` `[batch]`."""
        return Guided(self, Unlabelled())(u, t, labels, guidance=guidance)

    def sample(
        self,
        count: int,
        sampler: Sampler | type[Sampler] | RK45 | str | None = None,
        nfe: int = 50,
        seed: int = 0,
        labels: ArrayLike | None = None,
        guidance: float | Guidance | None = None,
        batch_size: int = 256,
        first: int = 0,
        progress: bool = False,
    ) -> np.ndarray:
        """Draw images.

        Args:
          count: how many.
          sampler: one, its class or its name such as `"gddim(order=2)"`; by default
            `samplers.default(sde, nfe)`.
          nfe: network evaluations per image (each over a doubled batch where guided); `RK45` takes
            as many as its tolerances ask for.
          seed: of the whole draw; image i depends on `(seed, first + i)` alone, so it is the same
            whatever the batch size.
          labels: None, or one class per image, `[count]` (or one number for all).
          guidance: None for the plain conditional model, the weight w of `guided_eps`, or a
            `Guidance`, which knows intervals, schedules and other guides.
          batch_size: images per pass.
          first: index of the first image, to go on where another call ended.
          progress: whether to show a progress bar.

        Returns:
          `[count, height, width, C]` float32, in [-1, 1] up to the error of the network.

        Raises:
          ValueError: if a label is out of range, or guidance is asked without labels.
        """
        batches = draw(
            self,
            sampler,
            nfe,
            count,
            seed=seed,
            first=first,
            labels=labels,
            guidance=guidance,
            batch_size=batch_size,
        )
        return collected(batches, count, progress)

    def path(
        self,
        count: int,
        sampler: AnySampler = None,
        nfe: int = 50,
        seed: int = 0,
        labels: ArrayLike | None = None,
        guidance: float | Guidance | None = None,
    ) -> np.ndarray:
        """The states on the way from noise to images, `[nfe + 1, count, height, width, C]`.

        Args:
          count: how many images.
          sampler: one, its class or its name; by default `samplers.default(sde, nfe)`.
          nfe: network evaluations per image.
          seed: of the whole draw; image i depends on `(seed, i)` alone.
          labels: None, or one class per image, or one for all.
          guidance: None, the weight of the class, or a `Guidance`.

        Raises:
          ValueError: if a label is out of range, or guidance is asked without labels.
        """
        seeds, guidance = image_seeds(seed, 0, count), Guidance.of(guidance)
        eps_fn, rows = conditions(self, labels, guidance, count)
        table = chosen(sampler, self.sde, nfe).table_for(self, nfe, Guidance.told(guidance))
        _, states = run(
            table if guidance is None else guidance.table(self.sde, table),
            eps_fn,
            self.sde.prior(self.image_shape, seeds),
            seeds=seeds,
            context={name: tf.constant(values) for name, values in rows.items()},
            trajectory=True,
        )
        return np.stack([self.sde.to_images(state).numpy() for state in states])

    def encode(
        self,
        images: ArrayLike,
        sampler: AnySampler = None,
        nfe: int = 50,
        seed: int = 0,
        labels: ArrayLike | None = None,
        guidance: float | Guidance | None = None,
    ) -> tf.Tensor:
        """The noise from which a deterministic sampler makes these images again.

        Args:
          images: `[batch, height, width, C]` in [-1, 1].
          sampler: deterministic; `samplers.default(sde, nfe)` by default.
          nfe: network evaluations, or more than there are, see `Sampler.encode`.
          seed: of the further components (velocities) of the clean images.
          labels: None, or one class per image, or one for all.
          guidance: None, the weight of the class, or a `Guidance`; the same brings the images back.

        Returns:
          States `[batch, height, width, k * C]` at `sde.t_max`, for `samplers.run`.

        Raises:
          NotInvertibleError: if the sampler cannot go this way.
          ValueError: if the images are not float, not of the model's shape or not in [-1, 1].
        """
        images, guidance = check_images(images, self.image_shape, "`images`"), Guidance.of(guidance)
        shape = (*self.image_shape[:-1], self.sde.components * self.image_shape[-1])
        noise = normal_per_image(image_seeds(seed, 0, images.shape[0]), shape)
        table = chosen(sampler, self.sde, nfe).encode(self.sde, nfe)
        if guidance is not None:
            table = guidance.table(self.sde, table)
        start = encoding_start(self.sde, table, images, noise)
        eps_fn, rows = conditions(self, labels, guidance, images.shape[0])
        context = {name: tf.constant(values) for name, values in rows.items()}
        return run(table, eps_fn, start, context=context)

    def check_labels(self, labels: ArrayLike | None, count: int) -> np.ndarray:
        """One label per image, `[count]` int32.

        Args:
          labels: one per image, or one for all; numbers, or names of `class_names`.
          count: of the images.

        Raises:
          ValueError: if the model has no classes, the labels are not whole numbers, one is out of
            range, or there are more or fewer than images.
        """
        return checked_labels(labels, count, self.num_classes, self.class_names)


def encoding_start(
    sde: LinearSDE, table: Table, images: tf.Tensor, noise: tf.Tensor | None
) -> tf.Tensor:
    """Clean images at the first time t of a table that encodes: their mean `Psi(t, 0) u_0`.

    Args:
      sde: the diffusion.
      table: from `Sampler.encode`.
      images: `[batch, height, width, C]`.
      noise: standard normal, for the components after the image.

    Returns:
      `[batch, height, width, k * C]`.
    """
    signal = tf.constant(sde.transition(table.time[0], 0.0), tf.float32)
    return sde.apply(signal, sde.to_state(images, noise))
