"""Samplers side by side on one model: generate, measure, report."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Sequence
from typing import Any

from gddim_tf.evaluation.features import feature_extractor
from gddim_tf.evaluation.generation import Generated, claim, even_labels, generate
from gddim_tf.evaluation.label_agreement import label_agreement, real_label_agreement
from gddim_tf.evaluation.pairs import save_closest_pairs
from gddim_tf.evaluation.reference import Reference
from gddim_tf.evaluation.report import Report, Row, versions
from gddim_tf.image_size import compact
from gddim_tf.samplers import Sampler
from gddim_tf.samplers.parse import chosen


def compare(
    model: Any,
    samplers: Sequence[Sampler | type[Sampler] | str | None],
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
    """Measure every sampler at every budget.

    A model with classes makes as many images of each.

    Args:
      model: a `DiffusionModel` or a `ServedModel`.
      samplers: to compare; None is `samplers.default` at each budget.
      nfes: their budgets.
      dataset: a name that `data.load` knows, of the real images.
      directory: where generated images, statistics of the real ones and pictures of the closest
        pairs are kept; finished images are not made again.
      split: of the reference images.
      floor_split: whose real images are measured against `split`, for the floor; by default another
        split that the data set has.
      features: as in `feature_extractor`.
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
    reference = Reference(
        dataset,
        feature_extractor(features),
        compact(model.image_shape[:2]),
        split,
        floor_split,
        folder,
    )
    reference.check_count(count)
    made_by = {
        "weights": model.fingerprint(),
        "sde": repr(model.sde),
        # an exported model does not know what its network predicts
        **({"prediction": model.prediction} if hasattr(model, "prediction") else {}),
        "seed": seed,
        "guidance": guidance,
    }
    rows, labels = [], even_labels(model, count)
    for asked in samplers:
        for nfe in nfes:
            sampler = chosen(asked, model.sde, nfe)
            name = f"{sampler}-nfe{nfe}-seed{seed}"
            name += "" if guidance is None else f"-guidance{guidance:g}"
            slug = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")
            images = folder / "images" / slug
            claim(images, {"sampler": repr(sampler), "nfe": nfe, **made_by})
            made = generate(
                model,
                sampler,
                nfe,
                count,
                seed=seed,
                labels=labels,
                guidance=guidance,
                directory=images,
                batch_size=batch_size,
            )
            pairs = folder / "pairs" / f"{slug}.png"
            label = f"default, {sampler}" if chosen is None else str(sampler)
            agreement = label_agreement(reference.extractor, made.images, labels, model.num_classes)
            rows.append(_row(label, sampler, nfe, made, reference, pairs, agreement))
    return Report(
        title=f"Samplers on {dataset}",
        rows=tuple(rows),
        floor=reference.floor,
        kernel_floor=reference.kernel_floor,
        agreement_floor=real_label_agreement(
            reference.extractor, dataset, reference.held_out, compact(model.image_shape[:2])
        )
        if reference.held_out and model.num_classes
        else None,
        settings={
            **(settings or {}),
            **made_by,
            "labels": _labels_told(model),
            **reference.settings(),
            "expected by chance alone": f"{reference.chance(count):.2f}, for this many independent "
            "images",
            **versions(),
        },
    )


def _row(
    label: str,
    sampler: Sampler,
    nfe: int,
    made: Generated,
    reference: Reference,
    pairs: Any,
    agreement: float | None,
) -> Row:
    """Measure what a sampler made; the closest pairs become a picture."""
    report = reference.memorisation(made.images)
    told = {}
    if report is not None:
        save_closest_pairs(made.images, reference.training, report, pairs)
        told = {
            "median_ratio": report.median_ratio,
            "close_fraction": report.close_fraction,
            "verdict": report.verdict,
            "pairs": f"{pairs.parent.name}/{pairs.name}",
        }
    return Row(
        sampler=label,
        arguments=repr(sampler),
        nfe=nfe,
        count=len(made.images),
        seconds=made.seconds,
        seconds_per_image=made.seconds / len(made.images),
        agreement=agreement,
        **reference.measure(made.images),
        **told,
    )


def _labels_told(model: Any) -> str:
    return f"image i has class i mod {model.num_classes}" if model.num_classes else "none"
