"""Fit tables to a model: teacher, grids, weights, and the check on seeds kept apart.

A fine run of the model is the teacher. A short table goes through some of its states; which ones is
found by dynamic programming over the errors of single steps, and the weights by least squares row
by row, see `fit`. Half of the seeds are fitted on, a quarter chooses the grid, and a table that is
not better than the untuned one on the last quarter is not kept. It costs `evaluations x count`
network evaluations for the teacher and `nfe x count` for each of four grids, none of them with a
gradient. It fits the solver to the network's flow: the network becomes no better.
Grid search after GITS (Chen et al., 2024), least squares for coefficients after IIA (Zhang et al.,
2024), here for matrices and along the student's own path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gddim_tf.checks import GUIDANCE_RANGE, not_negative, real, whole
from gddim_tf.samplers.base import Sampler, check_nfe
from gddim_tf.samplers.default import default
from gddim_tf.samplers.grids import PowerGrid
from gddim_tf.samplers.subject import Tunable
from gddim_tf.samplers.table import Table
from gddim_tf.samplers.tuning.file import Fitted, kernel_at
from gddim_tf.samplers.tuning.fit import Fit, fit
from gddim_tf.samplers.tuning.gap import SEEN, Gap, gap_of_table
from gddim_tf.samplers.tuning.grid import cheapest_path, nearest_nodes, step_costs
from gddim_tf.samplers.tuning.refine import refined
from gddim_tf.samplers.tuning.task import Task, check_count
from gddim_tf.samplers.tuning.teacher import TEACHER, Teacher
from gddim_tf.samplers.tuning.tuned import Tuned

# A teacher whose own error is more than this share of the untuned one is run more finely, up to
# so many times.
_TEACHER_SHARE, _FINEST = 0.1, 4

# Errors on the seeds that choose differ by chance by so much; for detail so much more is paid.
_AS_GOOD, _PRICE = 0.05, 0.25


def tune(
    model: Tunable,
    nfe: int | Sequence[int],
    *,
    labels: ArrayLike | None = None,
    guidance: float | None = None,
    count: int = 512,
    seed: int = 1,
    base: Sampler | None = None,
    refine: bool = False,
    evaluations: int = 60,
    ridge: float = 1e-6,
    batch_size: int = 64,
    progress: bool = False,
) -> Tuned:
    """A sampler whose weights and times suit one model; the module says how it is found.

    Args:
      model: any model that samples, an exported one too.
      nfe: the budget, or several.
      labels: None for the classes in turn (none without classes), one for all, or one each.
      guidance: weight of the class; None is the plain model.
      count: how many seeds, a multiple of 4.
      seed: of the starting states.
      base: the deterministic sampler to be better than; `samplers.default` if None.
      refine: whether to move single times afterwards, at `4 nfe` fits and more.
      evaluations: of the teacher; it takes more by itself if they are too few.
      ridge: weight of the analytic rows, relative to the mean square of what they multiply.
      batch_size: seeds per pass through the network.
      progress: whether to show a progress bar.

    Returns:
      The sampler; `tuned.budgets[nfe].record` says how each table came about.

    Raises:
      TypeError: if an argument is no number, or `base` no sampler.
      ValueError: if an argument is out of range or `base` draws noise.
      NotFiniteError: if the network returns something that is not finite.
    """
    from tqdm.auto import tqdm

    budgets = _checked_budgets(nfe, evaluations, ridge)
    tables = {
        n: _untuned(default(model.sde, n) if base is None else base, model, n) for n in budgets
    }
    total = check_count(count) * (evaluations + sum(5 * n for n in budgets))
    with tqdm(total=total, unit="evaluation", disable=not progress) as bar:
        context = _context(model, labels, guidance, count)
        eps_fn = model.eps if guidance is None else model.guided_eps
        options = {"context": context, "batch_size": batch_size, "progress": bar.update}
        task = Task(model.sde, eps_fn, model.image_shape, count, seed=seed, **options)
        teacher, accuracy = _fine_teacher(task, evaluations, tables[budgets[-1]])
        costs = step_costs(model.sde, teacher)
        shared = {**_origin(model, task, context), "guidance": guidance, "teacher_error": accuracy}
        return Tuned(
            budgets={
                n: _fitted(task, teacher, costs, table, ridge, refine, shared)
                for n, table in tables.items()
            }
        )


def _checked_budgets(nfe: int | Sequence[int], evaluations: int, ridge: float) -> list[int]:
    budgets = sorted({check_nfe(n) for n in np.atleast_1d(nfe).tolist()})
    not_negative(ridge=ridge)
    if not budgets:
        raise ValueError("`nfe` must hold at least one budget, received none")
    if budgets[-1] > whole("evaluations", evaluations, 2) // 2:
        raise ValueError(
            f"`nfe` must be at most {evaluations // 2}, half of the teacher's evaluations, "
            f"received {budgets[-1]}"
        )
    return budgets


def _origin(model: Tunable, task: Task, context: dict[str, np.ndarray]) -> dict[str, Any]:
    """What the record of a table tells of the model and of the seeds it was fitted on."""
    labels = context.get("labels")
    return {
        "weights": model.fingerprint(),
        "sde": repr(model.sde),
        "labels": "none" if labels is None else str(np.unique(labels)),
        "seed": task.seed,
        "count": task.count,
    }


def _untuned(base: Sampler, model: Tunable, nfe: int) -> Table:
    if not isinstance(base, Sampler):
        raise TypeError(f"`base` must be a sampler, such as `DDIM()`, received {base!r}")
    table = base.table(model.sde, nfe)
    if table.stochastic or table.clip is not None:
        raise ValueError(f"`base` must neither draw noise nor clip, received {base}")
    return table


def _context(
    model: Tunable, labels: ArrayLike | None, guidance: float | None, count: int
) -> dict[str, np.ndarray]:
    context = {}
    if labels is None and model.num_classes:
        labels = np.arange(count) % model.num_classes
    if labels is not None:
        context["labels"] = model.check_labels(labels, count)
    if guidance is not None:
        if "labels" not in context:
            raise ValueError("`guidance` needs a model with classes, received one without")
        weight = real("guidance", guidance, *GUIDANCE_RANGE)
        context["guidance"] = np.full(count, weight, np.float32)
    return context


def _fine_teacher(task: Task, evaluations: int, untuned: Table) -> tuple[Teacher, float]:
    """A teacher that is accurate beside the untuned table, and its error."""
    check = next(task.batches("choose"))
    steps = evaluations
    while True:
        teacher = Teacher(task, steps)
        accuracy = teacher.error(task, check)
        beaten = gap_of_table(task, teacher, untuned).errors["choose"]
        if accuracy <= _TEACHER_SHARE * beaten or steps >= _FINEST * evaluations:
            return teacher, accuracy
        steps *= 2


def _chosen(fits: dict[str, Fit]) -> str:
    """The best on the seeds that choose; among those that are as good there, on those fitted on.

    A table whose images visibly lost detail that a nearly as good one keeps is passed over: it may
    be nearer to the fine images because it smooths what it does not know.
    """
    gaps = {grid: fitted.gap for grid, fitted in fits.items()}
    near = _nearest(gaps, 1 + _PRICE)
    least_lost = min(gaps[grid].lost for grid in near)
    whole = {grid: gaps[grid] for grid in near if gaps[grid].lost <= least_lost + SEEN}
    return min(_nearest(whole, 1 + _AS_GOOD), key=lambda grid: gaps[grid].errors["fit"])


def _nearest(gaps: dict[str, Gap], share: float) -> list[str]:
    """Those whose error on the seeds that choose is at most so many times the least."""
    errors = {grid: found.errors["choose"] for grid, found in gaps.items()}
    return [grid for grid in gaps if errors[grid] <= share * min(errors.values())]


def _fitted(
    task: Task,
    teacher: Teacher,
    costs: np.ndarray,
    untuned: Table,
    ridge: float,
    refine: bool,
    shared: dict[str, Any],
) -> Fitted:
    """The best fit for the budget of an untuned table, or that table, with the record of it."""
    sde, nfe = task.sde, untuned.nfe
    before = gap_of_table(task, teacher, untuned)
    grids = {
        "cheapest squares": cheapest_path(costs, nfe),
        "cheapest roots": cheapest_path(np.sqrt(costs), nfe),
        "cheapest cubes": cheapest_path(costs**1.5, nfe),
        "quadratic": nearest_nodes(sde, teacher.times, PowerGrid(2.0)(sde, nfe)),
    }
    fits: dict[str, Fit] = {}
    for name, nodes in grids.items():
        if all(nodes != list(other.nodes) for other in fits.values()):
            fits[name] = fit(task, teacher, nodes, ridge)
    name = _chosen(fits)
    best = fits[name]
    if refine:
        best = refined(task, teacher, best, ridge)
        name += ", refined"
    after = best.gap
    kept = after.errors["report"] < before.errors["report"]
    table = best.table if kept else untuned
    record = {
        **shared,
        "teacher": f"{TEACHER}, {len(teacher.times) - 1} evaluations",
        "ridge": ridge,
        "nfe": nfe,
        "grid": name,
        "times": [float(time) for time in teacher.times[list(best.nodes)]],
        "kept": bool(kept),
        "error_before": before.errors["report"],
        "error_after": after.errors["report"],
        "error_fitted": after.errors["fit"],
        "variance_before": before.variances["report"],
        "variance_after": after.variances["report"],
        "detail_before": before.details["report"],
        "detail_after": after.details["report"],
    }
    return Fitted(table, *kernel_at(sde, table.time), record)
