"""The results of an evaluation as a table, in JSON and Markdown."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from typing import Any

from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation.measures import MEASURES
from gddim_tf.evaluation.result import TITLES, Result, line

_MEMORISATION = """\
The median ratio is the median distance of generated images to their nearest training image over
that of held-out images (or of training images left out one by one): 1 without memorisation, 0 for
copies. "Near" are the generated images that are nearer than the nearest 5 % of those."""


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
