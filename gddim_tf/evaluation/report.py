"""What samplers made at their budgets, how far it is from real images, and the table of it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from typing import Any

from gddim_tf.atomic import atomic_write
from gddim_tf.digest import digest
from gddim_tf.evaluation.measures import MEASURES
from gddim_tf.reading import read_json, reading

_MEMORISATION = """\
The median ratio is the median distance of generated images to their nearest training image over
that of held-out images (or of training images left out one by one): 1 without memorisation, 0 for
copies. "Near" are the generated images that are nearer than the nearest 5 % of those."""
TITLES = (
    *("sampler", "NFE", "images"),
    *(measure.title for measure in MEASURES),
    *("ms per image", "closest"),
)


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
      verdict: on memorisation, see `Comparison.verdict`.
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Rows, and everything needed to repeat them.

    Attributes:
      title: of the table.
      rows: its lines, of the samplers at their budgets.
      floor: Frechet distance between real images of two splits, below which no difference shows;
        None where there is one split only.
      kernel_floor: kernel distance of the same; None where there are too few images for one.
      agreement_floor: how often the classifier sees the label of a real image of the second split;
        None where it was not asked.
      settings: model, data, extractor, seeds: plain values.
    """

    title: str
    rows: tuple[Result, ...]
    floor: float | None
    kernel_floor: float | None
    agreement_floor: float | None
    settings: dict[str, Any]

    def flat(self) -> dict[str, Any]:
        """Plain values, as they are in JSON."""
        return {**vars(self), "rows": [row.flat() for row in self.rows]}

    def markdown(self) -> str:
        """The table, with its settings below."""
        lines = [f"# {self.title}", "", line(TITLES), "|---" * len(TITLES) + "|"]
        lines += [row.markdown() for row in self.rows]
        if self.floor is not None:
            floors = {
                "frechet": self.floor,
                "kernel": self.kernel_floor,
                "agreement": self.agreement_floor,
            }
            known = {name: value for name, value in floors.items() if value is not None}
            cells = [measure.text(known) for measure in MEASURES]
            lines.append(line(["real images of the other split", "", "", *cells, "", ""]))
        verdicts = [f"- {row.sampler}, NFE {row.spent}: {row.verdict}" for row in self.rows]
        if any(row.verdict for row in self.rows):
            lines += ["", _MEMORISATION, "", *verdicts]
        lines += ["", *(f"- {name}: {value}" for name, value in self.settings.items())]
        return "\n".join(lines) + "\n"

    def write(self, directory: str | os.PathLike, name: str = "results") -> None:
        """Write `<name>.json` and `<name>.md` into a folder."""
        folder = pathlib.Path(directory)
        with atomic_write(folder / f"{name}.json") as draft:
            draft.write_text(json.dumps(self.flat(), indent=2) + "\n")
        with atomic_write(folder / f"{name}.md") as draft:
            draft.write_text(self.markdown())


def line(cells: list[str] | tuple[str, ...]) -> str:
    """A line of a table in Markdown."""
    return "| " + " | ".join(cells) + " |"
