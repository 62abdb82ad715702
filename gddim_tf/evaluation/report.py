"""The quality of samples as rows of a table, in JSON and Markdown."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import platform
from typing import Any

import keras
import tensorflow as tf

from gddim_tf._version import __version__
from gddim_tf.atomic import atomic_write

_MEMORISATION = """\
The median ratio is the median distance of generated images to their nearest training image over
that of held-out images: 1 without memorisation, 0 for copies. "Near" are the generated images that
are nearer than the nearest 5 % of the held-out ones."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One line: a sampler at a budget, and how far its images are from real ones.

    Attributes:
      sampler: its name and the arguments that differ from their defaults.
      arguments: all of its arguments, its grid among them.
      nfe: network evaluations per image.
      count: generated images.
      frechet: Frechet distance of the features to those of the reference images.
      kernel: kernel distance (KID) of the same.
      seconds: time to generate all images, without tracing the graph.
      seconds_per_image: the same for one.
      precision: of the generated images, those among the real ones; see `precision_recall`.
      recall: of the real images, those among the generated ones.
      agreement: of the labels told with what the classifier sees; see `label_agreement`.
      inception_score: by the logits of the same extractor; None if it has none.
      median_ratio: see `MemorisationReport`; None where nothing was checked.
      close_fraction: likewise.
      verdict: likewise.
      pairs: picture of the closest pairs, relative to the report.
    """

    sampler: str
    arguments: str
    nfe: int
    count: int
    frechet: float
    kernel: float
    seconds: float
    seconds_per_image: float
    precision: float | None = None
    recall: float | None = None
    agreement: float | None = None
    inception_score: float | None = None
    median_ratio: float | None = None
    close_fraction: float | None = None
    verdict: str | None = None
    pairs: str | None = None

    def markdown(self) -> str:
        """The line of the table."""
        copies = "| | | |"
        if self.median_ratio is not None:
            copies = (
                f"| {self.median_ratio:.2f} | {self.close_fraction:.1%} | [pairs]({self.pairs}) |"
            )
        score = _rounded(self.inception_score)
        coverage = f"{_rounded(self.precision)} | {_rounded(self.recall)} | "
        coverage += _percent(self.agreement)
        return (
            f"| {self.sampler} | {self.nfe} | {self.count} | {self.frechet:.2f} | "
            f"{self.kernel:.4f} | {coverage} | {score} | "
            f"{1000 * self.seconds_per_image:.3g} {copies}"
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Rows, and everything needed to repeat them.

    Attributes:
      title: of the table.
      rows: its lines.
      floor: Frechet distance between real images of two splits, below which no difference shows;
        None where there is one split only.
      kernel_floor: kernel distance of the same; None where there are too few images for one.
      agreement_floor: how often the classifier sees the label of a real image of the second split;
        None where it was not asked.
      settings: model, data, extractor, seeds: plain values.
    """

    title: str
    rows: tuple[Row, ...]
    floor: float | None
    kernel_floor: float | None
    agreement_floor: float | None
    settings: dict[str, Any]

    def markdown(self) -> str:
        """The table, with its settings below."""
        lines = [
            f"# {self.title}",
            "",
            "| sampler | NFE | images | Frechet distance | kernel distance | precision | "
            "recall | label seen | Inception score | ms per image | median ratio | near | "
            "closest |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [row.markdown() for row in self.rows]
        if self.floor is not None:
            kernel = "" if self.kernel_floor is None else f"{self.kernel_floor:.4f}"
            seen, empty = _percent(self.agreement_floor), "| " * 5
            lines.append(
                f"| real images of the other split | | | {self.floor:.2f} | {kernel} | | | {seen} "
                f"{empty}|"
            )
        verdicts = [f"- {row.sampler}, NFE {row.nfe}: {row.verdict}" for row in self.rows]
        if any(row.verdict for row in self.rows):
            lines += ["", _MEMORISATION, "", *verdicts]
        lines += ["", *(f"- {name}: {value}" for name, value in self.settings.items())]
        return "\n".join(lines) + "\n"

    def write(self, directory: str | os.PathLike, name: str = "results") -> None:
        """Write `<name>.json` and `<name>.md` into a folder."""
        folder = pathlib.Path(directory)
        with atomic_write(folder / f"{name}.json") as draft:
            draft.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")
        with atomic_write(folder / f"{name}.md") as draft:
            draft.write_text(self.markdown())


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def versions() -> dict[str, str]:
    """The versions that results depend on."""
    return {
        "gddim_tf": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
        "processor": f"{os.cpu_count()} x {platform.machine()}",
    }
