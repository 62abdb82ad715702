"""Make the tables: every cell that is missing, then the document."""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.papers.cells import Cell
from benchmarks.papers.definitions import ADAPTIVE, TABLES, Table
from benchmarks.papers.document import document
from benchmarks.papers.drawing import run_cell, sample, tolerance_for
from benchmarks.papers.judging import judge
from benchmarks.papers.orderings import ORDERINGS
from benchmarks.papers.plan import Plan, evaluations
from benchmarks.papers.plots import plot_diffusions, plot_tables
from benchmarks.papers.results import Results
from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation.pairs import save_closest_pairs
from gddim_tf.evaluation.reference import Reference
from gddim_tf.evaluation.report import versions
from gddim_tf.samplers import default

_PAIRS_NFE = 20


class Workshop:
    """Models, reference and folder, with which cells are made.

    Args:
      models: `GenerativeModel` by kind, "vp", "cld", "bdm".
      reference: the real images.
      plan: how much to draw.
      out: folder of the document and its pictures.
      cells: folder of the results.
      settings: further lines for the document.
      tables: which ones.
      batch_size: images per pass.
      workers: passes side by side.
    """

    def __init__(
        self,
        models: dict[str, Any],
        reference: Reference,
        plan: Plan,
        out: pathlib.Path,
        cells: pathlib.Path,
        settings: dict[str, Any],
        tables: Sequence[Table] = TABLES,
        batch_size: int = 500,
        workers: int = 1,
    ) -> None:
        self.models, self.reference, self.plan, self.out = models, reference, plan, out
        self.tables, self._settings = tuple(tables), settings
        self._size = batch_size, workers
        self._cells, self._pairs = cells, {}
        self.sdes = {kind: model.sde for kind, model in models.items()}
        self._made_with = {
            kind: f"{model.fingerprint()} {model.sde!r} {reference.extractor.name} "
            f"{reference.dataset} {reference.split}"
            for kind, model in models.items()
        }

    def make(self, say: Callable[[str], None] = print) -> pathlib.Path:
        """Make what is missing; the document is written after every round of budgets.

        Args:
          say: what is called with a line per cell.

        Returns:
          The document's path.
        """
        cells = self.plan.all_cells(self.tables, self.sdes, ORDERINGS)
        missing = [cell for cell in cells if self._stored(cell) is None]
        left, began, spent = evaluations(missing), time.perf_counter(), 0
        say(f"{len(cells)} cells, {len(missing)} to make")
        for number, cell in enumerate(missing, 1):
            result = self._drawn_before(cell, cells) or self._draw(cell)
            cell.store(self._cells, self._made_with[cell.kind], result)
            spent += evaluations([cell])
            passed = time.perf_counter() - began
            told = f"{result['frechet']:.3f}" if "frechet" in result else result["failed"]
            say(
                f"{number}/{len(missing)} {cell.kind} {cell.sampler} NFE {result['spent']} seed "
                f"{cell.seed}: {told}; {passed:.0f} s, about {passed * (left / spent - 1):.0f} left"
            )
            if number < len(missing) and missing[number].nfe > 2 * cell.nfe:
                self.write()
        return self.write()

    def _draw(self, cell: Cell) -> dict[str, Any]:
        return run_cell(self.models[cell.kind], cell, self.reference, *self._size)

    def _drawn_before(self, cell: Cell, cells: Sequence[Cell]) -> dict[str, Any] | None:
        """The result of an adaptive cell, if another column's tolerance is the same."""
        if cell.sampler != ADAPTIVE:
            return None
        tolerance = tolerance_for(self.models[cell.kind], cell.nfe)
        for other in cells:
            if dataclasses.replace(other, nfe=cell.nfe) == cell:
                stored = self._stored(other)
                if stored is not None and stored["tolerance"] == tolerance:
                    return {name: stored[name] for name in stored.keys() - vars(cell).keys()}
        return None

    def _stored(self, cell: Cell) -> dict[str, Any] | None:
        return cell.stored(self._cells, self._made_with[cell.kind])

    def write(self) -> pathlib.Path:
        """Write `results.md` and the pictures from the cells that are there."""
        results = Results(self._cells, self.tables, self.plan, self.sdes, self._made_with)
        pictures = {}
        drawings = {
            "Frechet distance against network evaluations": ("results.png", plot_diffusions),
            "The other tables": ("results_tables.png", plot_tables),
        }
        for caption, (name, plot) in drawings.items():
            if plot(results, self.reference.floor, self.out / name):
                pictures[caption] = name
        pictures |= self._closest_pairs()
        judged = judge(ORDERINGS, results)
        text = document(results, judged, self.settings(), pictures, self.reference.dataset)
        path = self.out / "results.md"
        with atomic_write(path) as draft:
            draft.write_text(text)
        return path

    def settings(self) -> dict[str, Any]:
        """What the numbers depend on."""
        plan, reference = self.plan, self.reference
        cells = self.plan.all_cells(self.tables, self.sdes, ORDERINGS)
        results = [result for cell in cells if (result := self._stored(cell))]
        seconds = sum(result.get("seconds", 0.0) for result in results)
        return {
            **self._settings,
            "images": f"{plan.count} per seed, {plan.seeds} seed(s), mean ± standard deviation; "
            f"from column {plan.long_from} on one seed and {plan.long_count} images (the fewer "
            "images the larger a distance)",
            **reference.settings(),
            "expected by chance alone": "the distance of as many real images, if they were drawn "
            "independently, is "
            + " and ".join(
                f"{reference.chance(count):.2f} for {count}"
                for count in sorted({plan.count, plan.long_count}, reverse=True)
            ),
            "cells": f"{len(results)} of {len(cells)}, {seconds:.0f} s of drawing",
            **versions(),
        }

    def _closest_pairs(self) -> dict[str, str]:
        """A picture per model of the generated images that are closest to a training image."""
        for kind, model in self.models.items():
            if self.reference.training is not None and kind not in self._pairs:
                name = f"results_pairs_{kind}.png"
                self._draw_pairs(kind, model, self.out / name)
                self._pairs[kind] = name
        return {
            f"{kind}, default sampler at {_PAIRS_NFE} NFE: the ten generated images (above) "
            "that are closest to a training image (below), and their distances": name
            for kind, name in self._pairs.items()
        }

    def _draw_pairs(self, kind: str, model: Any, path: pathlib.Path) -> None:
        sampler = default(model.sde, _PAIRS_NFE)
        cell = Cell(kind=kind, sampler=sampler, nfe=_PAIRS_NFE, count=self.plan.count, seed=0)
        images, _ = sample(model, cell, *self._size)
        save_closest_pairs(
            images, self.reference.training, self.reference.memorisation(images), path
        )
