"""What a client does with images that it has."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gddim_tf.checks import whole
from gddim_tf.serving.signature import Signature, condition_inputs


class EditingClient(abc.ABC):
    """The edits of a served model; a part of `Client`, which raises what `Client.predict` does."""

    def edit(
        self,
        images: np.ndarray,
        strength: float,
        seed: int = 0,
        labels: ArrayLike | None = None,
        guidance: float = 1.0,
        batch_size: int = 32,
        first: int = 0,
    ) -> np.ndarray:
        """The images of `model.edit`, which resemble the given ones, uint8 like them.

        Args:
          images: uint8 `[count, height, width, C]`.
          strength: how much noise they begin with, one of those that the model has.
          seed: of the noise.
          labels: one class per image or one for all, needed by a model with classes.
          guidance: weight of the class, 1 is plain.
          batch_size: images per call.
          first: index of the first image; image i draws from `(seed, first + i)`.

        Raises:
          ValueError: for inputs that the model does not take.
        """
        images = _checked(images)
        count = len(images)
        if np.shape(strength) not in ((), (count,)):
            raise ValueError(f"`strength` must be one number, received {strength!r}")
        given = {"image": images, "strength": np.broadcast_to(strength, (count,))}
        return self._drawn("edit", given, count, seed, labels, guidance, batch_size, first)

    def inpaint(
        self,
        images: np.ndarray,
        mask: np.ndarray,
        seed: int = 0,
        labels: ArrayLike | None = None,
        guidance: float = 1.0,
        batch_size: int = 32,
        first: int = 0,
    ) -> np.ndarray:
        """The images of `model.inpaint`, whose unknown pixels are drawn, uint8 like the given ones.

        Args:
          images: uint8 `[count, height, width, C]`.
          mask: not 0 where a pixel is known and stays, `[height, width]` for all images, or
            `[count, height, width]`.
          seed: of the noise.
          labels: one class per image or one for all, needed by a model with classes.
          guidance: weight of the class, 1 is plain.
          batch_size: images per call.
          first: index of the first image; image i draws from `(seed, first + i)`.

        Raises:
          ValueError: for inputs that the model does not take.
        """
        images, mask = _checked(images), np.asarray(mask)
        count, shape = len(images), images.shape[:3]
        if mask.shape not in (shape, shape[1:]) or mask.dtype.kind not in "buif":
            raise ValueError(
                f"`mask` must be {shape[1:]} numbers, or as many for each image, received "
                f"{mask.dtype.name} of shape {mask.shape}"
            )
        known = np.broadcast_to(mask != 0, shape)[..., None].astype(np.uint8)
        given = {"image": images, "mask": known}
        return self._drawn("inpaint", given, count, seed, labels, guidance, batch_size, first)

    @abc.abstractmethod
    def signatures(self) -> dict[str, Signature]:
        """The signatures of the model."""

    @abc.abstractmethod
    def predict(self, signature: str = "serving_default", **inputs: Any) -> dict[str, np.ndarray]:
        """Call a signature."""

    @abc.abstractmethod
    def _images(self, signature: str, outputs: dict[str, np.ndarray]) -> np.ndarray:
        """The images of an answer."""

    def _drawn(
        self,
        signature: str,
        inputs: dict[str, np.ndarray],
        count: int,
        seed: int,
        labels: ArrayLike | None,
        guidance: float,
        batch_size: int,
        first: int,
    ) -> np.ndarray:
        """The images of a signature that takes seeds, in batches; `inputs` are its others."""
        for name, value in (("count", count), ("batch_size", batch_size)):
            whole(name, value, 1)
        index = np.arange(first, first + count)
        inputs = {"seed": np.stack([np.full(count, seed), index], axis=1), **inputs}
        described = self.signatures().get(signature)
        inputs |= condition_inputs(described, count, labels, guidance)
        batches = []
        for start in range(0, count, batch_size):
            rows = {name: value[start : start + batch_size] for name, value in inputs.items()}
            batches.append(self._images(signature, self.predict(signature, **rows)))
        return np.concatenate(batches)


def _checked(images: ArrayLike) -> np.ndarray:
    """Images to be sent, whose size and type the signature knows."""
    given = np.asarray(images)
    if given.ndim != 4 or not len(given):
        raise ValueError(
            "`images` must be uint8 [count, height, width, C], received "
            f"{given.dtype.name} of shape {given.shape}"
        )
    return given
