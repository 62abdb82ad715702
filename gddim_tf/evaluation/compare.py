"""Samplers side by side on one model: generate, measure, report."""

from __future__ import annotations

import dataclasses
import math
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from gddim_tf.environment import environment
from gddim_tf.evaluation.features import feature_extractor
from gddim_tf.evaluation.image_checks import check_images
from gddim_tf.evaluation.reference import Reference
from gddim_tf.evaluation.report import Report, Result
from gddim_tf.evaluation.runner import Runner
from gddim_tf.image_size import compact
from gddim_tf.models import GenerativeModel
from gddim_tf.models.generation import Job
from gddim_tf.samplers.parse import AnySampler, chosen


def compare(
    model: GenerativeModel,
    samplers: Sequence[AnySampler],
    nfes: Sequence[int],
    *,
    dataset: str,
    directory: str | os.PathLike,
    split: str = "train",
    floor_split: str | None = None,
    features: str = "digits",
    count: int = 1500,
    seed: int = 0,
    guidance: float | None = None,
    batch_size: int = 500,
    settings: dict[str, Any] | None = None,
) -> Report:
    """Measure every sampler at every budget, with as many images of each class.

    Args:
      model: whatever knows eps.
      samplers: to compare; None is `samplers.default` at each budget.
      nfes: their budgets.
      dataset: a name that `data.load` knows, of the real images.
      directory: where images, statistics of the real ones and pictures of the closest pairs are
        kept; finished images are not made again.
      split: of the reference images.
      floor_split: whose real images give the floor; by default another split than `split`.
      features: a name that `feature_extractor` knows, such as "digits" or "inception:FOLDER".
      count: images per sampler and budget.
      seed: of the images.
      guidance: weight of the class, see `GenerativeModel.guided_eps`; None is the plain model.
      batch_size: images per pass.
      settings: further lines for the report.

    Returns:
      The report, one row per sampler and budget.

    Raises:
      ValueError: if the folder holds images or statistics of something else, `count` is too small
        to measure, or guidance is asked of a model without classes.
    """
    folder = pathlib.Path(directory)
    check_images(model, dataset)
    extractor, size = feature_extractor(features), compact(model.image_shape[:2])
    reference = Reference(dataset, extractor, size, split, floor_split, folder, count)
    runner = Runner(model, reference, folder, batch_size=batch_size)
    rows = [
        _row(runner, folder, asked, Job(chosen(asked, model.sde, nfe), nfe, count, seed, guidance))
        for asked in samplers
        for nfe in nfes
    ]
    told = {**(settings or {}), **runner.made_by, "seed": seed, "guidance": guidance}
    return _report(model, reference, rows, told)


def _report(
    model: GenerativeModel, reference: Reference, rows: Sequence[Result], settings: dict[str, Any]
) -> Report:
    classes = model.num_classes
    chance = reference.chance(rows[0].count) if rows else math.nan
    return Report(
        title=f"Samplers on {reference.dataset}",
        rows=tuple(rows),
        floor=reference.floor,
        kernel_floor=reference.kernel_floor,
        agreement_floor=reference.agreement_floor if classes else None,
        settings={
            **settings,
            "labels": f"image i has class i mod {classes}" if classes else "none",
            **reference.settings(),
            "expected by chance alone": f"{chance:.2f}, for this many independent images",
            **environment(),
        },
    )


def _row(runner: Runner, folder: pathlib.Path, asked: AnySampler, job: Job) -> Result:
    """What one sampler at one budget gives, with a picture of the closest pairs if needed."""
    row = runner.run(job)
    if asked is None:
        row = dataclasses.replace(row, sampler=f"default, {row.sampler}")
    if "median_ratio" in row.measures:
        pairs = pathlib.Path("pairs", f"{job.name}-{job.count}.png")
        if not (folder / pairs).exists():
            runner.save_closest_pairs(job, folder / pairs)
        row = dataclasses.replace(row, pairs=str(pairs))
    return row
