"""Fit a sampler of few evaluations to a model, in minutes and without training.

For example:
  gddim-tf tune --model saved_models/digits_vp --nfe 4,5,6,8 --out runs/tuned
  gddim-tf sample --model saved_models/digits_vp --sampler tuned:runs/tuned --nfe 5 --out five.png
"""

from __future__ import annotations

import argparse
import pathlib
from typing import TYPE_CHECKING, Any

from gddim_tf.cli.arguments import classes, whole_numbers
from gddim_tf.cli.results import add_json_argument, tell
from gddim_tf.outputs import Output

if TYPE_CHECKING:
    import numpy as np

    from gddim_tf.models import GenerativeModel
    from gddim_tf.samplers import Tuned

WRITES = {"--out": Output.FOLDER}
# Images side by side in the picture.
_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tune`."""
    parser.add_argument("--model", required=True, help=".keras file, run or exported model")
    parser.add_argument("--out", required=True, help="folder for the tables, report and picture")
    parser.add_argument(
        "--nfe", type=whole_numbers, default="4,5,6,8", help="budgets, separated by commas"
    )
    parser.add_argument(
        "--count",
        type=int,
        default=512,
        help="seeds, a multiple of 4 and at least 32; half of them are fitted on",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the starting states")
    parser.add_argument(
        "--labels", type=classes, help="classes by name or number, in turn; all by default"
    )
    parser.add_argument("--guidance", type=float, help="weight of the class, 1 is plain")
    parser.add_argument("--refine", action="store_true", help="also move single times, much longer")
    parser.add_argument("--batch-size", type=int, default=64, help="seeds at a time")
    add_json_argument(parser)


def run(options: argparse.Namespace) -> None:
    """Fit, write the tables, the report and the picture, and print the report."""
    from gddim_tf.atomic import atomic_write
    from gddim_tf.cli import pictures
    from gddim_tf.models import load
    from gddim_tf.samplers import tune

    model, out = load(options.model), pathlib.Path(options.out)
    tuned = tune(
        model,
        options.nfe,
        labels=pictures.labels_of(options.labels, options.count),
        guidance=options.guidance,
        count=options.count,
        seed=options.seed,
        refine=options.refine,
        batch_size=options.batch_size,
        progress=True,
    )
    tuned.save(out)
    text = report(tuned)
    with atomic_write(out / "report.md") as draft:
        draft.write_text(text)
    labels = pictures.labels_of(options.labels or range(model.num_classes) or None, _SHOWN)
    picture(model, tuned, labels, options.guidance, out / "images.png")
    told = f"{text}\nthe tables, this report and images.png are in {out}"
    tell(options, {"out": str(out), "budgets": _records(tuned)}, told)


def report(tuned: Tuned) -> str:
    """The errors before and after as Markdown."""
    records = _records(tuned)
    first = records[0]
    lines = [
        f"RMS distance to the images of {first['teacher']}, whose own error is "
        f"{first['teacher_error']:.2g}, on {first['count'] // 4} seeds that took no part in the "
        "fit; variance is that of the images over the fine ones, detail that of the differences "
        "between neighbouring pixels.",
        "",
        "| NFE | untuned | tuned | variance, untuned | tuned | detail, untuned | tuned | grid |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for told in records:
        grid = told["grid"] if told["kept"] else "not better: the untuned table is kept"
        lines.append(
            f"| {told['nfe']} | {told['error_before']:.4f} | {told['error_after']:.4f} | "
            f"{told['variance_before']:.3f} | {told['variance_after']:.3f} | "
            f"{told['detail_before']:.3f} | {told['detail_after']:.3f} | {grid} |"
        )
    return "\n".join(lines) + "\n"


def _records(tuned: Tuned) -> list[dict[str, Any]]:
    """What is told of each budget, the smallest first."""
    return [fitted.record for _, fitted in sorted(tuned.budgets.items())]


def picture(
    model: GenerativeModel,
    tuned: Tuned,
    labels: np.ndarray | None,
    guidance: float | None,
    path: pathlib.Path,
) -> None:
    """For each budget a row untuned and a row tuned, from the same seeds; last the fine images."""
    import numpy as np

    from gddim_tf.data.pictures import save_grid

    rows = [
        model.sample(_SHOWN, sampler=sampler, nfe=nfe, labels=labels, guidance=guidance)
        for nfe in sorted(tuned.budgets)
        for sampler in (None, tuned)
    ]
    rows.append(model.sample(_SHOWN, nfe=60, labels=labels, guidance=guidance))
    save_grid(np.concatenate(rows), path, columns=_SHOWN)
