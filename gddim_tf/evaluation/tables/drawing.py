"""The images of a cell, drawn by its sampler."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import numpy as np
import tensorflow as tf

from gddim_tf.evaluation.images import as_uint8
from gddim_tf.evaluation.reference import Reference
from gddim_tf.evaluation.tables.cells import Cell
from gddim_tf.evaluation.tables.definitions import ADAPTIVE
from gddim_tf.samplers import RK45, run
from gddim_tf.sdes.randomness import image_seeds

_TOLERANCES = 10.0 ** np.arange(0.5, -6.1, -0.25)
_MOST_STEPS = 1000
_TRIAL_IMAGES = 100


def sample(
    model: Any, cell: Cell, batch_size: int, tolerance: float | None = None
) -> tuple[np.ndarray, int]:
    """Draw the images of a cell; a model with classes makes as many of each.

    Args:
      model: a `Sampled`.
      cell: what to draw.
      batch_size: images per pass.
      tolerance: of RK45, see `tolerance_for`.

    Returns:
      uint8 images `[count, height, width, C]` and the evaluations that they took, the mean over
      the batches where the sampler chooses.

    Raises:
      ValueError: if the sampler diverges.
    """
    if cell.sampler == ADAPTIVE:
        solver = RK45(rtol=tolerance, atol=tolerance, max_steps=_MOST_STEPS)
    else:
        table = cell.sampler.table(model.sde, cell.nfe)

    def draw(start: tuple[Any, ...]) -> tuple[np.ndarray, int]:
        state, seeds, labels = start
        if cell.sampler == ADAPTIVE:
            solution = solver.solve(model.sde, model.eps, state, context=labels)
            state, spent = solution.state, solution.nfe
        else:
            state = run(table, model.eps, state, seeds=seeds, context=labels)
            spent = table.nfe
        return as_uint8(model.sde.to_images(state)), spent

    # One batch per core is faster than all cores in one batch.
    workers = 1 if tf.config.list_physical_devices("GPU") else os.cpu_count()
    with futures.ThreadPoolExecutor(workers) as pool:
        images, spent = zip(*pool.map(draw, _starts(model, cell, batch_size)), strict=True)
    return np.concatenate(images), round(np.mean(spent))


def _starts(
    model: Any, cell: Cell, batch_size: int
) -> Iterator[tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]]:
    """States at t_max, the seeds of their images and their labels, a batch at a time."""
    for first in range(0, cell.count, batch_size):
        size = min(batch_size, cell.count - first)
        seeds = image_seeds(cell.seed, first, size)
        labels = {}
        if model.num_classes:
            labels["labels"] = tf.range(first, first + size) % model.num_classes
        yield model.sde.prior(model.image_shape, seeds), seeds, labels


def tolerance_for(model: Any, nfe: int) -> float:
    """The loosest tolerance with which RK45 takes at least a budget, on a hundred images.

    Args:
      model: a `Sampled`.
      nfe: the budget.

    Returns:
      The tolerance, one of four per decade from 3 down to 1e-6; the last one if none takes so many.
    """
    for index, tolerance in enumerate(_TOLERANCES):
        if _spent(model, index) >= nfe:
            return float(tolerance)
    return float(_TOLERANCES[-1])


@functools.lru_cache(maxsize=64)
def _spent(model: Any, index: int) -> int:
    """Evaluations at a tolerance; compiling is what takes the time, hence remembered."""
    trial = Cell(kind="", sampler=ADAPTIVE, nfe=0, count=_TRIAL_IMAGES, seed=0)
    try:
        return sample(model, trial, _TRIAL_IMAGES, float(_TOLERANCES[index]))[1]
    except ValueError as error:
        if "max_steps" not in str(error):
            raise
        return 6 * _MOST_STEPS  # at least, and more than any column


def run_cell(model: Any, cell: Cell, reference: Reference, batch_size: int) -> dict[str, Any]:
    """Draw and measure.

    Args:
      model: a `Sampled`.
      cell: what to draw.
      reference: what to measure against.
      batch_size: images per pass.

    Returns:
      Plain values: `spent` (evaluations) and, unless the sampler `diverged` (its message),
      `seconds`, `frechet`, `kernel`, and of small data `median_ratio` and `close_fraction`.
    """
    adaptive = cell.sampler == ADAPTIVE
    settings = {"tolerance": tolerance_for(model, cell.nfe)} if adaptive else {}
    began = time.perf_counter()
    try:
        images, nfe = sample(model, cell, batch_size, **settings)
    except ValueError as error:
        if "finite" not in str(error):
            raise
        return {"diverged": str(error), "spent": cell.nfe, **settings}
    seconds = time.perf_counter() - began
    result = {**settings, "spent": nfe, "seconds": seconds, **reference.measure(images)}
    report = reference.memorisation(images)
    if report is not None:
        result |= {"median_ratio": report.median_ratio, "close_fraction": report.close_fraction}
    return result
