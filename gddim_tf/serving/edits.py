"""The signatures that edit images: from a noise level on, and around known pixels."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from gddim_tf.data.pixels import from_uint8, to_uint8
from gddim_tf.models.restoration import Inpainting
from gddim_tf.numerics.image_noise import normal_per_image
from gddim_tf.sdes import LinearSDE
from gddim_tf.serving.inputs import seed_pairs

if TYPE_CHECKING:
    from gddim_tf.serving.graphs import Graphs

Tensors = dict[str, tf.Tensor]


def edit_signatures(graphs: Graphs, condition: Sequence[str]) -> dict[str, Any]:
    """`edit`, `decode_from` and `inpaint`; the first two if there are tables that begin later.

    Args:
      graphs: what they run on.
      condition: the names of the inputs that tell the class and its weight.

    Returns:
      A concrete function by name.
    """
    edits = _Edits(graphs)
    signatures = {}
    if graphs.budgets.starts:
        names = ("image", "strength", "seed", *condition)
        signatures["edit"] = graphs.function(edits.edit, *names)
        names = ("state", "strength", *condition)
        signatures["decode_from"] = graphs.function(edits.decode_from, *names)
    names = ("image", "mask", "seed", *condition)
    signatures["inpaint"] = graphs.function(edits.inpaint, *names)
    return signatures


def known_specs(image_shape: tuple[int, ...]) -> dict[str, tf.TensorSpec]:
    """What `Inpainting` is told of each image."""
    height, width, channels = image_shape
    return {
        "known": tf.TensorSpec([None, height, width, channels]),
        "mask": tf.TensorSpec([None, height, width, 1]),
    }


class _Edits:
    """The bodies of the signatures, from their inputs to `image`."""

    def __init__(self, graphs: Graphs) -> None:
        self._graphs, self._sde = graphs, graphs.sde
        self._starts = graphs.budgets.starts

    def edit(self, **tensors: tf.Tensor) -> Tensors:
        """As `model.edit`."""
        start, tensors = self._checked(tensors)
        times = np.array([time for time, _ in self._starts.values()])
        seeds = seed_pairs(tensors["seed"])
        state = noisy(self._sde, from_uint8(tensors["image"]), times, start, seeds)
        return self._from(start, state, tensors)

    def decode_from(self, **tensors: tf.Tensor) -> Tensors:
        """From states at the time of a strength."""
        start, tensors = self._checked(tensors)
        return self._from(start, tensors["state"], tensors)

    def inpaint(self, **tensors: tf.Tensor) -> Tensors:
        """As `model.inpaint`."""
        tensors = self._graphs.inputs(tensors).checked()
        seeds, mask = seed_pairs(tensors["seed"]), tf.cast(tensors["mask"] > 0, tf.float32)
        known = {"known": from_uint8(tensors["image"]), "mask": mask}
        prior = self._sde.prior(self._graphs.image_shape, seeds)
        context = {**self._graphs.condition(tensors), **known}
        images = self._sde.to_images(self._graphs.knowing(0, prior, seeds, context))
        return {"image": to_uint8(Inpainting.end(images, known))}

    def _checked(self, tensors: Tensors) -> tuple[tf.Tensor, Tensors]:
        """The position of the strength among those there are, and the inputs."""
        inputs = self._graphs.inputs(tensors)
        start = inputs.require_same("strength", list(self._starts))
        return start, inputs.checked()

    def _from(self, start: tf.Tensor, state: tf.Tensor, tensors: Tensors) -> Tensors:
        """The images of states at one of the strengths."""
        loops, positions = zip(*(place for _, place in self._starts.values()), strict=True)
        position = tf.gather(tf.constant(positions, tf.int32), start)
        distinct = sorted(set(loops))
        ways = [
            functools.partial(self._graphs.run, (loop, position), state, None, tensors)
            for loop in distinct
        ]
        if len(ways) == 1:  # usual: the tables of all strengths are of one layout
            return {"image": to_uint8(self._sde.to_images(ways[0]()))}
        which = tf.constant([distinct.index(loop) for loop in loops])
        end = tf.switch_case(tf.gather(which, start), ways)
        return {"image": to_uint8(self._sde.to_images(end))}


def noisy(
    sde: LinearSDE, images: tf.Tensor, times: np.ndarray, which: tf.Tensor, seeds: tf.Tensor
) -> tf.Tensor:
    """Noisy states of images at one of some times, as `model.edit` begins.

    Args:
      sde: the diffusion.
      images: `[batch, height, width, C]` in [-1, 1].
      times: that may be chosen.
      which: the position of one of them.
      seeds: `[batch, 2]`.

    Returns:
      `[batch, height, width, k * C]`, `Psi(t, 0) u_0 + L(t) z`.
    """
    clean = sde.to_state(images)
    noise = normal_per_image(seeds, tuple(clean.shape[1:]), clean.dtype)
    signal, root = (
        tf.gather(tf.constant(matrices, clean.dtype), which)
        for matrices in (sde.transition(times, np.zeros_like(times)), sde.cholesky(times))
    )
    return sde.apply(signal, clean) + sde.apply(root, noise)
