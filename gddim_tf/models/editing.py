"""What people do with images and a model that knows eps: edit, repair, restore, interpolate."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.checks import whole
from gddim_tf.models import edit_plans as plans
from gddim_tf.models.batches import Plan, collected, in_batches
from gddim_tf.models.edit_inputs import checked_images
from gddim_tf.models.guidance import Guidance
from gddim_tf.models.operators import LinearOperator
from gddim_tf.models.subject import Guidable
from gddim_tf.samplers.parse import AnySampler, chosen


class Invertible(Guidable, Protocol):
    """What an interpolation asks of a model."""

    def encode(
        self,
        images: ArrayLike,
        sampler: AnySampler,
        nfe: int,
        seed: int,
        labels: ArrayLike | None,
        guidance: float | Guidance | None,
    ) -> tf.Tensor:
        """The noise that makes these images."""
        ...


class Editing:
    """The edits of a `GenerativeModel`, each reproducible by its seed whatever the batch size."""

    def edit(
        self: Guidable,
        images: ArrayLike,
        strength: float,
        sampler: AnySampler = None,
        nfe: int = 50,
        seed: int = 0,
        labels: ArrayLike | None = None,
        guidance: float | Guidance | None = None,
        batch_size: int = 256,
        first: int = 0,
        progress: bool = False,
    ) -> np.ndarray:
        """Images that resemble the given ones: noise is added and taken away again.

        SDEdit (Meng et al., 2022), algorithm 1, on any diffusion.

        Args:
          images: `[batch, height, width, C]` in [-1, 1].
          strength: how much noise, as `samplers.strength.noise_fraction`: small keeps the image, 1
            keeps nothing and is `sample`.
          sampler: `samplers.default(sde, nfe)` by default; all of `nfe` is spent below `strength`.
          nfe: network evaluations per image.
          seed: of the noise; image i draws from `(seed, first + i)` alone.
          labels: None, one class per image or one for all.
          guidance: None, the weight of the class or a `Guidance`.
          batch_size: images per pass.
          first: index of the first image.
          progress: whether to show a bar.

        Returns:
          `[batch, height, width, C]` float32.

        Raises:
          ValueError: if the images or a number are out of range, or a label is.

        Examples:
          >>> import gddim_tf as gd
          >>> model = gd.load("saved_models/digits_vp")
          >>> digits = model.sample(1, nfe=5, labels=3)
          >>> model.edit(digits, strength=0.5, nfe=5, labels=8).shape
          (1, 8, 8, 1)
        """
        plan = plans.edit_plan(self, images, strength, sampler, nfe, labels, guidance)
        return _made(plan, seed, first, batch_size, progress)

    def inpaint(
        self: Guidable,
        images: ArrayLike,
        mask: ArrayLike,
        sampler: AnySampler = None,
        nfe: int = 50,
        seed: int = 0,
        labels: ArrayLike | None = None,
        guidance: float | Guidance | None = None,
        batch_size: int = 256,
        first: int = 0,
        progress: bool = False,
    ) -> np.ndarray:
        """Images whose unknown pixels are drawn so that they go with the known ones.

        Known pixels take the place of predicted ones (`restoration.Inpainting`), exact at the end.

        Args:
          images: `[batch, height, width, C]` in [-1, 1]; unknown pixels may be anything there.
          mask: 1 or True where a pixel is known and stays, 0 where it is drawn: `[height, width]`,
            with channels after or the batch before it if need be. Nothing known is `sample`.
          sampler: `samplers.low_order(sde, nfe)` by default: eps is rougher when it is changed, and
            high orders go astray. `RePaint` goes back and forth and fits parts together.
          nfe: network evaluations per image.
          seed: of the noise; image i draws from `(seed, first + i)` alone.
          labels: None, one class per image or one for all.
          guidance: None, the weight of the class or a `Guidance`.
          batch_size: images per pass.
          first: index of the first image.
          progress: whether to show a bar.

        Returns:
          `[batch, height, width, C]` float32.

        Raises:
          ValueError: if images, mask, a number or a label are out of range.

        Examples:
          >>> import gddim_tf as gd
          >>> model = gd.load("saved_models/digits_vp")
          >>> mask = np.arange(8)[:, None] < np.full(8, 4)  # the upper half is known
          >>> model.inpaint(np.full((1, 8, 8, 1), -0.9), mask, nfe=5)[0, :4].max().round(3)
          np.float32(-0.9)
        """
        plan = plans.inpainting_plan(self, images, mask, sampler, nfe, labels, guidance)
        return _made(plan, seed, first, batch_size, progress)

    def restore(
        self: Guidable,
        measurement: ArrayLike,
        operator: LinearOperator,
        noise_std: float = 0.0,
        method: str = "ddnm",
        data_std: float = 1.0,
        sampler: AnySampler = None,
        nfe: int = 50,
        seed: int = 0,
        labels: ArrayLike | None = None,
        guidance: float | Guidance | None = None,
        batch_size: int = 256,
        first: int = 0,
        progress: bool = False,
        step: float = 1.0,
    ) -> np.ndarray:
        """Images that agree with a linear measurement `y = A x + noise`.

        Args:
          measurement: y, `[batch, ...]`, in the units of images in [-1, 1].
          operator: A, see `operators`.
          noise_std: the standard deviation of the noise in y; without noise the images agree with
            the measurement at the end.
          method: "ddnm" puts the measurement in the place of what is predicted of it; "pigdm"
            follows its gradient through the network, and each evaluation takes about three times
            as long; "dps" too, by steps of one size. See `restoration.Restoration`.
          data_std: the standard deviation of the data in pixels; matters with noise, or a gradient.
          sampler: `samplers.low_order(sde, nfe)` by default; see `inpaint`.
          nfe: network evaluations per image.
          seed: of the noise; image i draws from `(seed, first + i)` alone.
          labels: None, one class per image or one for all.
          guidance: None, the weight of the class or a `Guidance`.
          batch_size: images per pass.
          first: index of the first image.
          progress: whether to show a bar.
          step: how far "dps" goes, above 0.

        Returns:
          `[batch, height, width, C]` float32.

        Raises:
          ValueError: if the measurement is not one of the operator, or a number or a label is out
            of range.
          TypeError: if the operator is none.

        Examples:
          >>> import gddim_tf as gd
          >>> model = gd.load("saved_models/digits_vp")
          >>> down = gd.operators.Downsample(4)
          >>> digit = model.restore(np.full((1, 2, 2, 1), -0.5), down, nfe=5, labels=8)
          >>> down.apply(digit).numpy().max().round(3)
          np.float32(-0.5)
        """
        given, asked = (measurement, operator, noise_std, method, data_std), (labels, guidance)
        plan = plans.restoration_plan(self, *given, sampler, nfe, *asked, step)
        return _made(plan, seed, first, batch_size, progress)

    def interpolate(
        self: Invertible,
        first_images: ArrayLike,
        last_images: ArrayLike,
        steps: int,
        sampler: AnySampler = None,
        nfe: int = 50,
        seed: int = 0,
        labels: ArrayLike | None = None,
        guidance: float | Guidance | None = None,
        batch_size: int = 256,
        progress: bool = False,
    ) -> np.ndarray:
        """Images on the way from some to others, through the noise that makes them.

        Both are encoded, the noise goes from one to the other on a sphere, and is decoded. What
        encoding and decoding lose of the ends is added in proportion, so that the ends are the
        given images. DDIM (Song et al., 2021), section 5.3.

        Args:
          first_images: `[batch, height, width, C]` in [-1, 1].
          last_images: as many.
          steps: images of a way, with both ends, at least 2.
          sampler: deterministic; `samplers.default(sde, nfe)` by default.
          nfe: network evaluations for encoding an image, and again for decoding one.
          seed: of the further components (velocities) of the ends.
          labels: one class per way, or one for all.
          guidance: None, the weight of the class or a `Guidance`.
          batch_size: ways per pass.
          progress: whether to show a bar.

        Returns:
          `[steps, batch, height, width, C]` float32.

        Raises:
          NotInvertibleError: if the sampler cannot go both ways.
          ValueError: if the images, a number or a label are out of range.
        """
        steps, shape = whole("steps", steps, 2), (steps, *np.shape(first_images))
        ends = [
            checked_images(self, images, f"`{name}`")
            for name, images in (("first_images", first_images), ("last_images", last_images))
        ]
        if len(ends[0]) != len(ends[1]):
            raise ValueError(
                f"`last_images` must be {len(ends[0])}, as many as the first, received "
                f"{len(ends[1])}"
            )
        method = chosen(sampler, self.sde, nfe)
        codes = [self.encode(images, method, nfe, seed, labels, guidance) for images in ends]
        plan = plans.interpolation_plan(self, codes, steps, method, nfe, labels, guidance)
        images = _made(plan, seed, 0, batch_size, progress).reshape(shape)
        shares = np.linspace(0, 1, steps, dtype=np.float32)
        lost = np.multiply.outer(1 - shares, ends[0] - images[0])
        return images + lost + np.multiply.outer(shares, ends[1] - images[-1])


def _made(plan: Plan, seed: int, first: int, batch_size: int, progress: bool) -> np.ndarray:
    batches = in_batches(plan, seed=seed, first=first, batch_size=batch_size)
    return collected(batches, plan.count, progress)
