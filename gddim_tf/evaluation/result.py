"""What one sampler made at one budget, and how far it is from real images."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

from gddim_tf.digest import digest
from gddim_tf.evaluation.measures import MEASURES
from gddim_tf.reading import read_json, reading


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """One line of a report, one seed of a place in a table.

    Attributes:
      sampler: its name and the arguments that differ from their defaults.
      arguments: all of its arguments, its grid among them.
      nfe: network evaluations per image that it was given.
      spent: network evaluations that it took.
      count: generated images.
      seconds: time to generate all images, without tracing the graph.
      measures: numbers by the names of `MEASURES`; none if it failed.
      verdict: on memorisation, see `MemorisationReport`; None where nothing was checked.
      pairs: picture of the closest pairs, relative to the report.
      failed: how, in two words; None if it did not.
    """

    sampler: str
    arguments: str
    nfe: int
    spent: int
    count: int
    seconds: float = 0.0
    measures: dict[str, float] = dataclasses.field(default_factory=dict)
    verdict: str | None = None
    pairs: str | None = None
    failed: str | None = None

    def flat(self) -> dict[str, str | int | float | None]:
        """All of it as one dictionary of plain values, the measures among the others."""
        values = dataclasses.asdict(self)
        measures = {measure.name: None for measure in MEASURES} | values.pop("measures")
        return {**values, "seconds_per_image": self.seconds / self.count, **measures}

    def json(self) -> str:
        """The text of a file, an object of the attributes and their SHA-256."""
        values = dataclasses.asdict(self)
        return json.dumps({**values, "sha256": _digest(values)}, indent=1) + "\n"

    @classmethod
    def read(cls, path: pathlib.Path) -> Result:
        """Read a file that holds what `json` gave.

        Raises:
          DamagedFileError: if it is something else, or a number was changed.
        """
        what = "a result of an evaluation"
        values = read_json(path, what, {"sha256": str})
        with reading(path, what):
            if values.pop("sha256") != _digest(values):
                raise ValueError("its numbers are not those that were measured")
            return cls(**values)

    def markdown(self) -> str:
        """The line of a table below `TITLES`."""
        cells = [self.sampler, str(self.spent), str(self.count)]
        if self.failed:
            cells += [self.failed] + [""] * len(MEASURES)
        else:
            cells += [measure.text(self.measures) for measure in MEASURES]
            cells.append(f"{1000 * self.seconds / self.count:.3g}")
        cells.append(f"[pairs]({self.pairs})" if self.pairs else "")
        return line(cells)


def _digest(values: dict[str, Any]) -> str:
    return digest([json.dumps(values, sort_keys=True).encode()])


TITLES = (
    *("sampler", "NFE", "images"),
    *(measure.title for measure in MEASURES),
    *("ms per image", "closest"),
)


def line(cells: list[str] | tuple[str, ...]) -> str:
    """A line of a table in Markdown."""
    return "| " + " | ".join(cells) + " |"
