"""The folder of a training run: whose it is, what it was trained on, and its log."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

from gddim_tf import data
from gddim_tf.atomic import atomic_write, remove_abandoned
from gddim_tf.models.opening import CHECKPOINTS, MODEL_FILE
from gddim_tf.reading import read_json
from gddim_tf.training.recipe import Recipe

_DATA = "data"


class RunFolder:
    """What a run keeps: `recipe.json`, `log.csv`, `checkpoints/` and, when done, `model.keras`.

    Args:
      directory: of the run.
      recipe: of the training that wants to go on there.

    Raises:
      ValueError: if the folder holds a run of another recipe, of more steps or on other data, or
        its `recipe.json` is damaged.
    """

    def __init__(self, directory: pathlib.Path, recipe: Recipe) -> None:
        self.directory, self._recipe = directory, recipe
        self.trained, self.log = directory / MODEL_FILE, directory / "log.csv"
        self.checkpoints = directory / CHECKPOINTS
        self._path = directory / "recipe.json"
        found = (
            read_json(self._path, "the recipe of a run", {"steps": int})
            if self._path.exists()
            else {}
        )
        self.steps = found.get("steps", 0)  # of the run that is there, 0 if there is none
        self._data = _described(recipe)
        if found:
            self._check_recipe(found)
            self._check_data(found.get(_DATA) or {})

    def remove_drafts(self) -> None:
        """Remove what a kill has left half written."""
        for folder in (self.directory, self.checkpoints):
            if folder.exists():
                remove_abandoned(folder)

    def claim(self) -> None:
        """Say whose folder it is; the model of a shorter run gets a name of its own first."""
        if self.trained.exists():
            self.trained.rename(self.directory / f"model-{self.steps}.keras")
        told = {**_plain(self._recipe), _DATA: self._data}
        with atomic_write(self._path) as draft:
            draft.write_text(json.dumps(told, indent=2) + "\n")

    def cut_log(self, done: int) -> None:
        """Drop the epochs that will be done again, and a line that a kill has cut short."""
        if not self.log.exists():
            return
        lines = [line for line in self.log.read_bytes().splitlines(True) if line.endswith(b"\n")]
        kept = [line for line in lines if line[:5] == b"epoch" or _epoch(line) < done]
        with atomic_write(self.log) as draft:
            draft.write_bytes(b"".join(kept))

    def _check_recipe(self, found: dict[str, Any]) -> None:
        # a run of an earlier version lacks the settings that came later, whose defaults it had
        found = {**_plain(Recipe()), **found}
        for key, value in _plain(self._recipe).items():
            grows = key == "steps" and self.steps < value
            if found[key] != value and not grows:
                raise ValueError(
                    f"{self.directory} holds a run with {key} = {found[key]!r}, received "
                    f"{value!r}; use another folder or the same settings (only `steps` may grow)"
                )

    def _check_data(self, found: dict[str, Any]) -> None:
        """Compare with the data of the run; one of an earlier version did not tell them."""
        for key, value in self._data.items():
            if key in found and found[key] != value:
                what = (
                    "other images of the same number"
                    if key == "digest"
                    else f"{key} = {value!r} and not {found[key]!r}"
                )
                raise ValueError(
                    f"{self.directory} was trained on data that have changed: "
                    f"{self._recipe.dataset} now has {what}; use another folder, or put the data "
                    "back"
                )


def _plain(recipe: Recipe) -> dict[str, Any]:
    """The settings as JSON gives them back, with lists for tuples."""
    return json.loads(json.dumps(dataclasses.asdict(recipe)))


def _described(recipe: Recipe) -> dict[str, Any]:
    """What a run is trained on."""
    info = data.info(recipe.dataset)
    return {
        "images": info.splits["train"],
        "image_size": info.image_size,
        "channels": info.channels,
        "classes": list(info.class_names),
        "digest": data.fingerprint(recipe.dataset),
    }


def _epoch(line: bytes) -> int:
    """The first number of a line of the log; one that is not there is after all others."""
    number = line.split(b",")[0]
    return int(number) if number.isdigit() else 2**62
