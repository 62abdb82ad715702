"""The one way from seeds to images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.models.batches import Batch, Plan, Rows, Way, along, in_batches
from gddim_tf.models.constant_weights import drawing_eps
from gddim_tf.models.guidance import Guidance
from gddim_tf.models.ordered_eps import ordered_on_cpus
from gddim_tf.models.subject import Guidable
from gddim_tf.samplers.adaptive import RK45
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.loop import EpsFn
from gddim_tf.samplers.parse import chosen
from gddim_tf.sdes import LinearSDE


def draw(
    model: Guidable,
    sampler: Sampler | type[Sampler] | RK45 | str | None,
    nfe: int,
    count: int,
    *,
    seed: int = 0,
    first: int = 0,
    labels: ArrayLike | None = None,
    guidance: float | Guidance | None = None,
    batch_size: int = 256,
    workers: int = 1,
) -> Iterator[Batch]:
    """Draw images, a batch at a time.

    In the scope of a `tf.distribute` strategy each batch is divided among its devices.

    Args:
      model: whatever knows eps.
      sampler: one, its class or its name; `samplers.default(sde, nfe)` if None.
      nfe: network evaluations per image (each over a doubled batch where guided); `RK45` takes as
        many as its tolerances ask for, and one device.
      count: how many images.
      seed: of the whole draw; image i depends on `(seed, first + i)` alone (with `RK45`, within its
        tolerances, on its batch too).
      first: index of the first image.
      labels: None, or one class per image, or one for all.
      guidance: None for the plain conditional model, the weight w of `guided_eps`, or a `Guidance`.
      batch_size: most images per batch, of all devices together.
      workers: batches made side by side, each by a thread: on a CPU one per core is faster for
        small networks than all cores in one batch.

    Returns:
      The batches, made as they are asked for.

    Raises:
      ValueError: if a number is below 1, a label is out of range, guidance is asked without labels,
        the sampler cannot spend the budget, or several workers share several devices.
      NotFiniteError, StepLimitError: while the batches are made, as `run` and `RK45.solve` do.

    Examples:
      for batch in draw(model, DDIM(), 20, 50_000, batch_size=500):
          statistics.update(features(to_uint8(batch.images)))
    """
    plan = plan_of(model, sampler, nfe, count, labels=labels, guidance=guidance)
    return in_batches(plan, seed=seed, first=first, batch_size=batch_size, workers=workers)


def plan_of(
    model: Guidable,
    sampler: Sampler | type[Sampler] | RK45 | str | None,
    nfe: int,
    count: int,
    *,
    labels: ArrayLike | None = None,
    guidance: float | Guidance | None = None,
) -> Plan:
    """The plan of a draw from noise; arguments and errors are those of `draw`."""
    sde, guidance = model.sde, Guidance.of(guidance)
    eps_fn, rows = conditions(model, labels, guidance, count)
    if isinstance(sampler, RK45):
        way = _solved(sampler, sde, eps_fn, guidance)
    else:
        table = chosen(sampler, sde, nfe).table_for(model, nfe, Guidance.told(guidance))
        way = along(table if guidance is None else guidance.table(sde, table), eps_fn)
    return Plan(
        start=lambda seeds, _: sde.prior(model.image_shape, seeds),
        way=way,
        finish=lambda state, _: sde.to_images(state),
        rows=rows,
        context=tuple(rows),
        count=count,
    )


def conditions(
    model: Guidable, labels: ArrayLike | None, guidance: Guidance | None, count: int
) -> tuple[EpsFn, dict[str, np.ndarray]]:
    """The eps of a model under a condition, and what it is told of every image besides its state.

    Raises:
      ValueError: if a label is out of range, or guidance is asked without labels.
    """
    if guidance is not None:
        return guidance.eps_fn(model), guidance.context(model, labels, count)
    eps_fn = ordered_on_cpus(drawing_eps(model))
    return eps_fn, {} if labels is None else {"labels": model.check_labels(labels, count)}


def _solved(solver: RK45, sde: LinearSDE, eps_fn: EpsFn, guidance: Guidance | None) -> Way:
    """The way of an adaptive solver."""
    if guidance is not None and guidance.schedule is not None:
        raise ValueError(
            "`guidance` must have no schedule with RK45, whose times are not known before, "
            f"received {guidance.schedule}"
        )

    def solve(state: tf.Tensor, _: tf.Tensor, context: Rows) -> tuple[tf.Tensor, int]:
        solution = solver.solve(sde, eps_fn, state, context=context)
        return solution.state, solution.nfe

    return solve
