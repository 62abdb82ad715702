"""The quality of samples as rows of a table, in JSON and Markdown."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import platform
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gddim_tf._version import __version__
from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation.distances import frechet_distance, kernel_distance


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One line: a sampler at a budget, and how far its images are from real ones.

    Attributes:
      sampler: its name and arguments.
      nfe: network evaluations per image.
      count: generated images.
      frechet: Frechet distance of the features to those of the reference images.
      kernel: kernel distance (KID) of the same.
      seconds: time to generate all images, without tracing the graph.
    """

    sampler: str
    nfe: int
    count: int
    frechet: float
    kernel: float
    seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Rows, and everything needed to repeat them.

    Attributes:
      title: of the table.
      rows: its lines.
      floor: Frechet distance between real images of two splits, below which no difference shows.
      settings: model, data, extractor, seeds: plain values.
    """

    title: str
    rows: tuple[Row, ...]
    floor: float
    settings: dict[str, Any]

    def markdown(self) -> str:
        """The table, with its settings below."""
        lines = [
            f"# {self.title}",
            "",
            "| sampler | NFE | images | Frechet distance | kernel distance | seconds |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {row.sampler} | {row.nfe} | {row.count} | {row.frechet:.2f} | {row.kernel:.4f} | "
            f"{row.seconds:.1f} |"
            for row in self.rows
        ]
        lines += [f"| real images of the other split | | | {self.floor:.2f} | | |", ""]
        lines += [f"- {name}: {value}" for name, value in self.settings.items()]
        return "\n".join(lines) + "\n"

    def write(self, directory: str | os.PathLike, name: str = "results") -> None:
        """Write `<name>.json` and `<name>.md` into a folder."""
        folder = pathlib.Path(directory)
        with atomic_write(folder / f"{name}.json") as draft:
            draft.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")
        with atomic_write(folder / f"{name}.md") as draft:
            draft.write_text(self.markdown())


def row_of(
    sampler: Any,
    nfe: int,
    images: np.ndarray,
    seconds: float,
    real: np.ndarray,
    extractor: Callable[[np.ndarray], np.ndarray],
) -> Row:
    """Measure generated images against the activations of real ones.

    Args:
      sampler: what made them.
      nfe: at which budget.
      images: uint8 `[count, height, width, C]`.
      seconds: that they took.
      real: activations `[n, d]` of the reference images.
      extractor: that made the activations.

    Returns:
      The row.
    """
    fake = extractor(images)
    return Row(
        sampler=str(sampler),
        nfe=nfe,
        count=len(images),
        frechet=frechet_distance(real, fake),
        kernel=kernel_distance(real, fake),
        seconds=seconds,
    )


def versions() -> dict[str, str]:
    """The versions that results depend on."""
    return {
        "gddim_tf": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
        "processor": f"{os.cpu_count()} x {platform.machine()}",
    }
