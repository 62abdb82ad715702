"""Make the tables: every cell that is missing, then the document."""

from __future__ import annotations

import math
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.papers.cells import Cell
from benchmarks.papers.definitions import ADAPTIVE, TABLES, Table
from benchmarks.papers.document import document
from benchmarks.papers.judging import judge
from benchmarks.papers.orderings import ORDERINGS
from benchmarks.papers.own_flow import OwnFlow
from benchmarks.papers.plan import Plan, evaluations
from benchmarks.papers.plots import plot_diffusions, plot_tables
from benchmarks.papers.results import Results
from benchmarks.papers.subjects import Subject
from benchmarks.papers.tolerances import Tolerances
from benchmarks.papers.yardstick import Yardstick
from gddim_tf import evaluation
from gddim_tf.atomic import atomic_write
from gddim_tf.environment import environment
from gddim_tf.evaluation.reference import Reference
from gddim_tf.evaluation.report import Result
from gddim_tf.evaluation.runner import Runner
from gddim_tf.models import GenerativeModel
from gddim_tf.models.generation import Job
from gddim_tf.samplers import default

_PAIRS_NFE = 20


class Workshop:
    """Models, reference and folder, with which cells are made.

    Args:
      models: by kind, "vp", "cld", "bdm".
      reference: the real images.
      plan: how much to draw.
      out: folder of the document and its pictures.
      cells: folder of the images and results, a folder in it for each model.
      settings: further lines for the document.
      subject: the data set.
      tables: which ones.
      batch_size: images per pass.
      workers: passes side by side.
    """

    def __init__(
        self,
        models: dict[str, GenerativeModel],
        reference: Reference,
        plan: Plan,
        out: pathlib.Path,
        cells: pathlib.Path,
        settings: dict[str, Any],
        subject: Subject,
        tables: Sequence[Table] = TABLES,
        batch_size: int = 500,
        workers: int = 1,
    ) -> None:
        self.reference, self.plan, self.out = reference, plan, out
        self.tables, self._settings, self._subject = tuple(tables), settings, subject
        self.sdes = {kind: model.sde for kind, model in models.items()}
        folders = {kind: cells / f"{kind}-{model.fingerprint()}" for kind, model in models.items()}
        options = {"batch_size": batch_size, "workers": workers, "progress": False}
        self._runners = {
            kind: Runner(model, reference, folders[kind], **options)
            for kind, model in models.items()
        }
        self._flows = {
            kind: OwnFlow(kind, model.sde, self._features, 2 * plan.count)
            for kind, model in models.items()
        }
        self._tolerances = {
            kind: Tolerances(model, folders[kind] / "tolerances.json")
            for kind, model in models.items()
        }

    def make(self, say: Callable[[str], None] = print, seconds: float = math.inf) -> pathlib.Path:
        """Make what is missing; the document is written after every round of budgets.

        Args:
          say: what is called with a line per cell.
          seconds: after which no other cell is begun; the next call goes on.

        Returns:
          The document's path.
        """
        cells = self.plan.all_cells(self.tables, self.sdes, ORDERINGS)
        missing = [cell for cell in cells if self.finished(cell) is None]
        left, began, spent = evaluations(missing), time.perf_counter(), 0
        say(f"{len(cells)} cells, {len(missing)} to make")
        if missing:
            say(f"{left:,} evaluations of single images; the time left is told with each cell")
        for number, cell in enumerate(missing, 1):
            if time.perf_counter() - began >= seconds:
                say(f"{len(missing) + 1 - number} cells are left for the next time")
                break
            result = self.run(cell)
            spent += evaluations([cell])
            passed = time.perf_counter() - began
            told = result.failed or f"{result.measures['frechet']:.3f}"
            say(
                f"{number}/{len(missing)} {cell.kind} {cell.sampler} NFE {result.spent} seed "
                f"{cell.seed}: {told}; {passed:.0f} s, about {passed * (left / spent - 1):.0f} left"
            )
            if number < len(missing) and missing[number].nfe > 2 * cell.nfe:
                self.write()
        return self.write()

    def run(self, cell: Cell) -> Result:
        """The result of a cell, drawn and measured if it is not there."""
        return self._runners[cell.kind].run(self._job(cell))

    def finished(self, cell: Cell) -> Result | None:
        """The result of a cell, if it is there; columns of one tolerance of RK45 share it."""
        if cell.sampler == ADAPTIVE and self._tolerances[cell.kind].known(cell.nfe) is None:
            return None
        return self._runners[cell.kind].finished(self._job(cell))

    def write(self) -> pathlib.Path:
        """Write `results.md` and the pictures from the cells that are there."""
        results = Results(self.tables, self.plan, self.sdes, self.finished)
        pictures = {}
        drawings = {
            "Frechet distance against network evaluations": ("results.png", plot_diffusions),
            "The other tables": ("results_tables.png", plot_tables),
        }
        for caption, (name, plot) in drawings.items():
            if plot(results, self.reference.chance(self.plan.count), self.out / name):
                pictures[caption] = name
        pictures |= self._closest_pairs()
        to_real = Yardstick(lambda: self.reference.statistics, self._features)
        judged = judge(ORDERINGS, results, to_real.gap_error)
        by_flow = [
            self._flows[item.better.cells[0].kind].again(item)
            for item in judged
            if item.missed and not (item.better.failed or item.worse.failed)
        ]
        text = document(results, judged, by_flow, self.settings(), pictures, self._subject)
        path = self.out / "results.md"
        with atomic_write(path) as draft:
            draft.write_text(text)
        return path

    def settings(self) -> dict[str, Any]:
        """What the numbers depend on."""
        plan, reference = self.plan, self.reference
        cells = self.plan.all_cells(self.tables, self.sdes, ORDERINGS)
        results = [result for cell in cells if (result := self.finished(cell))]
        seconds = sum(result.seconds for result in results)
        return {
            **self._settings,
            "images": f"{plan.count} per seed, {plan.seeds} seed(s), mean ± standard deviation"
            + "".join(f"; from column {c} on one seed and {few} images" for c, few in plan.long)
            + " (the fewer images the larger a distance)",
            **reference.settings(),
            "expected by chance alone": "the distance of as many real images, if they were drawn "
            "independently, is "
            + " and ".join(
                f"{reference.chance(count):.2f} for {count}"
                for count in sorted({plan.count, *(few for _, few in plan.long)}, reverse=True)
            ),
            "cells": f"{len(results)} of {len(cells)}, {seconds:.0f} s of drawing",
            **environment(),
        }

    def _closest_pairs(self) -> dict[str, str]:
        """A picture per model of the generated images that are closest to a training image."""
        if self.reference.training is None or self.reference.unchecked:
            return {}
        pictures = {}
        for kind, runner in self._runners.items():
            name = f"results_pairs_{kind}.png"
            sampler = default(self.sdes[kind], _PAIRS_NFE)
            job = Job(sampler, _PAIRS_NFE, self.plan.count)
            runner.save_closest_pairs(job, self.out / name)
            told = f"{kind}, default sampler at {_PAIRS_NFE} NFE: the ten generated images (above) "
            told += "that are closest to a training image (below), and their distances"
            pictures[told] = name
        return pictures

    def _features(self, cell: Cell) -> np.ndarray:
        """Of the images of a cell, `[count, dimension]`."""
        images = self._runners[cell.kind].generated(self._job(cell)).images
        return evaluation.extract(self.reference.extractor, images, progress=False)

    def _job(self, cell: Cell) -> Job:
        sampler = cell.sampler
        if isinstance(sampler, str):  # ADAPTIVE
            sampler = self._tolerances[cell.kind].find(cell.nfe)
        return Job(sampler, cell.nfe, cell.count, cell.seed)
