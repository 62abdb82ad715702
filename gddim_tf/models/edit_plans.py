"""The plans of edits: where the states start, what eps is told, and how the images end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.checks import real
from gddim_tf.models.batches import Plan, along
from gddim_tf.models.drawing import conditions
from gddim_tf.models.edit_inputs import checked_images, checked_measurement, known_images
from gddim_tf.models.guidance import Guidance
from gddim_tf.models.operators import LinearOperator
from gddim_tf.models.restoration import Inpainting, Restoration
from gddim_tf.models.subject import Guidable
from gddim_tf.numerics.image_noise import normal_per_image
from gddim_tf.numerics.sphere import between
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.default import default, low_order
from gddim_tf.samplers.parse import AnySampler, as_sampler
from gddim_tf.samplers.strength import time_of_strength
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE


def perturbed(sde: LinearSDE, images: tf.Tensor, time: float, seeds: tf.Tensor) -> tf.Tensor:
    """Noisy states `Psi(t, 0) u_0 + L(t) z` at one time, with the noise that draws the prior.

    Args:
      sde: the diffusion.
      images: `[batch, height, width, C]`.
      time: t; at `t_max` nothing is kept of the images, and the prior comes out.
      seeds: `[batch, 2]`.

    Returns:
      `[batch, height, width, k * C]`.
    """
    if time >= sde.t_max:
        return sde.prior(tuple(images.shape[1:]), seeds)
    clean = sde.to_state(images)
    noise = normal_per_image(seeds, tuple(clean.shape[1:]), clean.dtype)
    signal, root = sde.transition(time, 0.0), sde.cholesky(time)
    return sde.apply(tf.constant(signal, clean.dtype), clean) + sde.apply(
        tf.constant(root, clean.dtype), noise
    )


def edit_plan(
    model: Guidable,
    images: ArrayLike,
    strength: float,
    sampler: AnySampler,
    nfe: int,
    labels: ArrayLike | None,
    guidance: float | Guidance | None,
) -> Plan:
    """The plan of `GenerativeModel.edit`."""
    sde, images = model.sde, checked_images(model, images, "`images`")
    time = time_of_strength(sde, strength)
    method = default(sde, nfe) if _unsaid(sampler) else as_sampler(sampler)
    guidance = Guidance.of(guidance)
    if time >= sde.t_max:
        table = method.table_for(model, nfe, Guidance.told(guidance))
    else:
        table = method.table_from(sde, time, nfe)
    eps_fn, rows = conditions(model, labels, guidance, len(images))
    return Plan(
        start=lambda seeds, rows: perturbed(sde, rows["image"], time, seeds),
        way=along(_guided(guidance, sde, table), eps_fn),
        finish=lambda state, _: sde.to_images(state),
        rows={**rows, "image": images},
        context=tuple(rows),
        count=len(images),
    )


def inpainting_plan(
    model: Guidable,
    images: ArrayLike,
    mask: ArrayLike,
    sampler: AnySampler,
    nfe: int,
    labels: ArrayLike | None,
    guidance: float | Guidance | None,
) -> Plan:
    """The plan of `GenerativeModel.inpaint`."""
    images, known_pixels = known_images(model, images, mask)
    eps_fn, rows = conditions(model, labels, Guidance.of(guidance), len(images))
    knowing = Inpainting(eps_fn, model.sde)
    known = {"known": images, "mask": known_pixels}
    return _knowing_plan(model, knowing, known, rows, sampler, nfe, Guidance.of(guidance))


def restoration_plan(
    model: Guidable,
    measurement: ArrayLike,
    operator: LinearOperator,
    noise_std: float,
    method: str,
    data_std: float,
    sampler: AnySampler,
    nfe: int,
    labels: ArrayLike | None,
    guidance: float | Guidance | None,
    step: float = 1.0,
) -> Plan:
    """The plan of `GenerativeModel.restore`."""
    noise_std = real("noise_std", noise_std, 0.0)
    measurement = checked_measurement(model, measurement, operator)
    count = len(measurement)
    eps_fn, rows = conditions(model, labels, Guidance.of(guidance), count)
    data_std = real("data_std", data_std, 0.0, above=True)
    step = real("step", step, 0.0, above=True)
    knowing = Restoration(eps_fn, model.sde, operator, method, data_std, step)
    known = {"measurement": measurement, "noise_std": np.full(count, noise_std, np.float32)}
    return _knowing_plan(model, knowing, known, rows, sampler, nfe, Guidance.of(guidance))


def _knowing_plan(
    model: Guidable,
    knowing: Inpainting | Restoration,
    known: dict[str, np.ndarray],
    rows: dict[str, np.ndarray],
    sampler: AnySampler,
    nfe: int,
    guidance: Guidance | None,
) -> Plan:
    """From noise, by an eps that knows something of the images, to images that agree with it."""
    sde = model.sde
    method = low_order(sde, nfe) if _unsaid(sampler) else as_sampler(sampler)
    table = method.table_for(model, nfe, Guidance.told(guidance))
    return Plan(
        start=lambda seeds, _: sde.prior(model.image_shape, seeds),
        way=along(_guided(guidance, sde, table), knowing),
        finish=lambda state, rows: knowing.end(sde.to_images(state), rows),
        rows={**rows, **known},
        context=(*rows, *known),
        count=len(next(iter(known.values()))),
    )


def interpolation_plan(
    model: Guidable,
    codes: Sequence[tf.Tensor],
    steps: int,
    sampler: Sampler,
    nfe: int,
    labels: ArrayLike | None,
    guidance: float | Guidance | None,
) -> Plan:
    """From the noise of two batches of images to all images on the ways between them.

    Args:
      model: whatever knows eps.
      codes: states at `t_max`, as `GenerativeModel.encode` makes them, of the ends.
      steps: of each way.
      sampler: what made them.
      nfe: as there.
      labels: one class per way, or one for all.
      guidance: as there.

    Returns:
      A plan for `steps * batch` images, those of the first step first.
    """
    sde, guidance, ways = model.sde, Guidance.of(guidance), len(codes[0])
    whiten = tf.constant(np.linalg.inv(sde.prior_scale()), codes[0].dtype)
    white = [sde.apply(whiten, code).numpy() for code in codes]
    scale = tf.constant(sde.prior_scale(), codes[0].dtype)
    path = between(white[0], white[1], np.linspace(0, 1, steps)).astype(np.float32)
    eps_fn, rows = conditions(model, labels, guidance, ways)
    rows = {name: np.concatenate([values] * steps) for name, values in rows.items()}
    table = sampler.table_for(model, nfe, Guidance.told(guidance))
    return Plan(
        start=lambda _, rows: sde.apply(scale, rows["noise"]),
        way=along(_guided(guidance, sde, table), eps_fn),
        finish=lambda state, _: sde.to_images(state),
        rows={**rows, "noise": path.reshape(-1, *path.shape[2:])},
        context=tuple(rows),
        count=steps * ways,
    )


def _unsaid(sampler: AnySampler) -> bool:
    return sampler is None or (isinstance(sampler, str) and sampler.strip().lower() == "default")


def _guided(guidance: Guidance | None, sde: LinearSDE, table: Table) -> Table:
    return table if guidance is None else guidance.table(sde, table)
