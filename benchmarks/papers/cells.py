"""One cell of a table: images of one sampler from one seed, whose measures are a small file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import re
from typing import Any

from gddim_tf.atomic import atomic_write
from gddim_tf.reading import read_json
from gddim_tf.samplers import Sampler


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """What is drawn.

    Attributes:
      kind: key of the model.
      sampler: how, or ADAPTIVE.
      nfe: budget.
      count: images.
      seed: of all of them; image i depends on `(seed, i)` alone.
    """

    kind: str
    sampler: Sampler | str
    nfe: int
    count: int
    seed: int

    def path(self, folder: pathlib.Path, made_with: str) -> pathlib.Path:
        """The file of its result.

        Args:
          folder: of all results.
          made_with: whatever else the numbers depend on: weights, data, features.
        """
        told = f"{self.sampler!r} {made_with}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:10]
        name = re.sub(r"[^a-z0-9.]+", "-", str(self.sampler).lower()).strip("-")[:60]
        return folder / f"{self.kind}-{name}-{digest}-{self.nfe}-{self.count}-{self.seed}.json"

    def stored(self, folder: pathlib.Path, made_with: str) -> dict[str, Any] | None:
        """The result, if it is there."""
        path = self.path(folder, made_with)
        return read_json(path, "a result of the tables") if path.exists() else None

    def store(self, folder: pathlib.Path, made_with: str, result: dict[str, Any]) -> None:
        """Keep the result."""
        described = {**dataclasses.asdict(self), "sampler": repr(self.sampler), **result}
        with atomic_write(self.path(folder, made_with)) as draft:
            draft.write_text(json.dumps(described, indent=1) + "\n")
