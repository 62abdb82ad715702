"""Trained networks as problems: how far a sampler's images are from those of the fine flow."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from gddim_tf.models import GenerativeModel, load
from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.samplers import GDDIM, Table, VPTimeGrid, run
from gddim_tf.sdes import LinearSDE

FOLDER = pathlib.Path(__file__).parents[2] / "saved_models"

# The flow itself, as far as it matters here.
FINE = GDDIM(order=2, variable="sqrt_vp_time", grid=VPTimeGrid(2.0, 1.0))
_EVALUATIONS = 150


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A model, starting states, and where its own flow leads from there.

    Attributes:
      model: the network under its diffusion, in float32.
      start: states `[count, height, width, k * C]` at `sde.t_max`.
      context: the classes, all in turn.
      fine: images of `FINE` with 150 evaluations, `[count, height, width, C]`.
    """

    model: GenerativeModel
    start: tf.Tensor
    context: dict[str, tf.Tensor]
    fine: np.ndarray

    @property
    def sde(self) -> LinearSDE:
        """The diffusion."""
        return self.model.sde

    def errors(self, table: Table) -> np.ndarray:
        """Root mean square distance of every image to the fine one, per value, `[count]`."""
        gap = _images(self.model, table, self.start, self.context) - self.fine
        return np.sqrt(np.mean(np.square(gap, dtype=np.float64), axis=(1, 2, 3)))

    def error(self, table: Table) -> float:
        """The same over all images."""
        return float(np.sqrt(np.mean(np.square(self.errors(table)))))


def network(name: str, count: int = 16, evaluations: int = _EVALUATIONS) -> Network:
    """A model of `saved_models` from `count` seeds.

    Args:
      name: of its folder.
      count: how many seeds.
      evaluations: of the fine images.

    Returns:
      The problem.
    """
    model = load(FOLDER / name)
    start = model.sde.prior(model.image_shape, image_seeds(0, 0, count))
    classes = model.num_classes
    context = {"labels": tf.range(count) % classes} if classes else {}
    fine = _images(model, FINE.table(model.sde, evaluations), start, context)
    return Network(model, start, context, fine)


def _images(
    model: GenerativeModel, table: Table, start: tf.Tensor, context: dict[str, tf.Tensor]
) -> np.ndarray:
    return model.sde.to_images(run(table, model.eps, start, context=context)).numpy()
