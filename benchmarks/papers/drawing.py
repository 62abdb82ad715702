"""The images of a cell, drawn by its sampler."""

from __future__ import annotations

import functools
import math
import time
from concurrent import futures
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.papers.cells import Cell
from benchmarks.papers.definitions import ADAPTIVE
from gddim_tf.evaluation.generation import even_labels
from gddim_tf.evaluation.images import as_uint8
from gddim_tf.evaluation.reference import Reference
from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.samplers import RK45, NotFiniteError, StepLimitError, run

# Powers of ten where a tolerance of RK45 is looked for, and how often the last two are halved.
_EXPONENTS = tuple(float(exponent) for exponent in np.arange(0.5, -6.1, -0.25))
_HALVINGS = 3
_MOST_STEPS = 1000
_TRIAL_IMAGES = 100


def sample(
    model: Any, cell: Cell, batch_size: int, workers: int = 1, tolerance: float | None = None
) -> tuple[np.ndarray, int]:
    """Draw the images of a cell; a model with classes makes as many of each.

    Args:
      model: a `GenerativeModel`.
      cell: what to draw.
      batch_size: images per pass, at most; every worker gets a share of a small cell.
      workers: passes side by side; on a CPU one per core is faster than all cores in one pass.
      tolerance: of RK45, see `tolerance_for`.

    Returns:
      uint8 images `[count, height, width, C]` and the evaluations that they took, the mean over
      the batches where the sampler chooses.

    Raises:
      NotFiniteError: if the sampler diverges.
      StepLimitError: if RK45 needs more than a thousand steps.
    """
    if cell.sampler == ADAPTIVE:
        solver = RK45(rtol=tolerance, atol=tolerance, max_steps=_MOST_STEPS)
    else:
        table = cell.sampler.table(model.sde, cell.nfe)
    labels = even_labels(model, cell.count)
    batch_size = min(batch_size, math.ceil(cell.count / workers))

    def draw(first: int) -> tuple[np.ndarray, int]:
        size = min(batch_size, cell.count - first)
        seeds = image_seeds(cell.seed, first, size)
        context = (
            {}
            if labels is None
            else {"labels": tf.constant(labels[first : first + size], tf.int32)}
        )
        state = model.sde.prior(model.image_shape, seeds)
        if cell.sampler == ADAPTIVE:
            solution = solver.solve(model.sde, model.eps, state, context=context)
            state, spent = solution.state, solution.nfe
        else:
            state = run(table, model.eps, state, seeds=seeds, context=context)
            spent = table.nfe
        return as_uint8(model.sde.to_images(state)), spent

    with futures.ThreadPoolExecutor(workers) as pool:
        drawn = pool.map(draw, range(0, cell.count, batch_size))
        images, spent = zip(*drawn, strict=True)
    return np.concatenate(images), round(np.mean(spent))


def tolerance_for(model: Any, nfe: int) -> float:
    """The tolerance with which RK45 takes about a budget, on a hundred images.

    Args:
      model: a `GenerativeModel`.
      nfe: the budget.

    Returns:
      Of four tolerances per decade from 3 down to 1e-6, and of eight times as many where the budget
      is passed, the one that comes nearest to the budget; the loosest of several.
    """
    tried = []
    for exponent in _EXPONENTS:
        tried.append(exponent)
        if _spent(model, exponent) >= nfe:
            break
    if len(tried) > 1:
        loose, tight = tried[-2:]
        for _ in range(_HALVINGS):
            middle = (loose + tight) / 2
            tried.append(middle)
            loose, tight = (loose, middle) if _spent(model, middle) >= nfe else (middle, tight)

    def miss(exponent: float) -> tuple[float, float]:
        return abs(math.log(_spent(model, exponent) / nfe)), -exponent

    return 10 ** min(tried, key=miss)


@functools.lru_cache(maxsize=64)
def _spent(model: Any, exponent: float) -> float:
    """Evaluations at a tolerance, a power of ten."""
    trial = Cell(kind="", sampler=ADAPTIVE, nfe=0, count=_TRIAL_IMAGES, seed=0)
    try:
        return sample(model, trial, _TRIAL_IMAGES, tolerance=10**exponent)[1]
    except StepLimitError:
        return math.inf


def run_cell(
    model: Any, cell: Cell, reference: Reference, batch_size: int, workers: int = 1
) -> dict[str, Any]:
    """Draw and measure.

    Args:
      model: a `GenerativeModel`.
      cell: what to draw.
      reference: what to measure against.
      batch_size: images per pass.
      workers: see `sample`.

    Returns:
      Plain values: `spent` (evaluations) and, unless it `failed` (in two words), `seconds`,
      `frechet`, `kernel`, and of small data `median_ratio` and `close_fraction`.
    """
    adaptive = cell.sampler == ADAPTIVE
    settings = {"tolerance": tolerance_for(model, cell.nfe)} if adaptive else {}
    began = time.perf_counter()
    try:
        images, nfe = sample(model, cell, batch_size, workers, **settings)
    except NotFiniteError:
        return {"failed": "diverged", "spent": cell.nfe, **settings}
    except StepLimitError:
        return {"failed": "too many steps", "spent": cell.nfe, **settings}
    seconds = time.perf_counter() - began
    result = {**settings, "spent": nfe, "seconds": seconds, **reference.measure(images)}
    report = reference.memorisation(images)
    if report is not None:
        result |= {"median_ratio": report.median_ratio, "close_fraction": report.close_fraction}
    return result
