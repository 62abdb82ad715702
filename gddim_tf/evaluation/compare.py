"""Samplers side by side on one model: generate, measure, report."""

from __future__ import annotations

import os
import pathlib
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gddim_tf import data
from gddim_tf.evaluation.distances import frechet_distance, frechet_floor
from gddim_tf.evaluation.extraction import extract
from gddim_tf.evaluation.features import feature_extractor
from gddim_tf.evaluation.generation import claim, generate
from gddim_tf.evaluation.report import Report, row_of, versions
from gddim_tf.samplers import Sampler


def compare(
    model: Any,
    samplers: Sequence[Sampler],
    nfes: Sequence[int],
    *,
    dataset: str,
    directory: str | os.PathLike,
    split: str = "test",
    floor_split: str = "train",
    features: str = "digits",
    count: int = 1500,
    seed: int = 0,
    batch_size: int = 500,
    settings: dict[str, Any] | None = None,
) -> Report:
    """Measure every sampler at every budget.

    Args:
      model: a `DiffusionModel` or a `ServedModel`.
      samplers: to compare.
      nfes: their budgets.
      dataset: a name that `data.load` knows, of the real images.
      directory: where generated images are kept; finished ones are not made again.
      split: of the reference images.
      floor_split: whose real images are measured against `split`, for the floor.
      features: as in `feature_extractor`.
      count: images per sampler and budget.
      seed: of the images.
      batch_size: images per pass.
      settings: further lines for the report.

    A model with classes makes as many images of each.

    Returns:
      The report, one row per sampler and budget.
    """
    extractor = feature_extractor(features)
    size = model.image_shape[0]
    real = _activations(extractor, dataset, split, size)
    other = _activations(extractor, dataset, floor_split, size)
    floor = _quietly(frechet_distance, real, other)
    chance = frechet_floor(np.cov(other, rowvar=False), len(real), count)
    labels = np.arange(count) % model.num_classes if model.num_classes else None
    rows = []
    for sampler in samplers:
        for nfe in nfes:
            folder = pathlib.Path(directory) / "images" / _slug(f"{sampler}-nfe{nfe}-seed{seed}")
            claim(folder, {"sampler": repr(sampler), "nfe": nfe, "seed": seed, **(settings or {})})
            made = generate(
                model,
                sampler,
                nfe,
                count,
                seed=seed,
                labels=labels,
                directory=folder,
                batch_size=batch_size,
            )
            rows.append(_quietly(row_of, sampler, nfe, made.images, made.seconds, real, extractor))
    return Report(
        title=f"Samplers on {dataset}",
        rows=tuple(rows),
        floor=floor,
        settings={
            **(settings or {}),
            "sde": repr(model.sde),
            "reference": f"{len(real)} images of {dataset}, split {split}",
            "expected by chance alone": f"{chance:.2f}, for this many independent images",
            "features": f"{extractor.name}, resize {extractor.resize}",
            "seed": seed,
            **versions(),
        },
    )


def _activations(extractor: Any, dataset: str, split: str, size: int) -> np.ndarray:
    images = data.load(dataset, split, batch_size=500, image_size=size, shuffle=False, flip=False)
    return extract(extractor, images, progress=False)


def _quietly(measure: Callable[..., Any], *arguments: Any) -> Any:
    """Call without the warning on few images, of which the report itself has a line."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* are few for .* dimensions")
        return measure(*arguments)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
