"""A fitted table as a file: NumPy's `.npz` without pickle, with its origin and a digest."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import numpy as np

from gddim_tf.atomic import atomic_write
from gddim_tf.digest import digest
from gddim_tf.reading import read_arrays, reading
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import LinearSDE

# The largest tables have one matrix per frequency and take a few megabytes.
_LARGEST = 2**28

_COLUMN = "table/"


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """A table and how it came about.

    Attributes:
      table: for one budget.
      signal: Psi(t, 0) of the diffusion at the times of the rows, by which it is known again.
      root: R(t) there.
      record: plain values: weights, diffusion, seeds, teacher, grid, ridge and errors.
    """

    table: Table
    signal: np.ndarray
    root: np.ndarray
    record: dict[str, Any]

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it as arrays by name."""
        columns = {_COLUMN + name: column for name, column in self.table.arrays().items()}
        text = json.dumps(self.record, sort_keys=True)
        return {
            **columns,
            "history": np.array(self.table.history),
            "signal": self.signal,
            "root": self.root,
            "record": np.array(text),
        }

    def digest(self) -> str:
        """The SHA-256 of all arrays, as hexadecimal digits."""
        parts = []
        for name, array in sorted(self.arrays().items()):
            parts += [f"{name} {array.dtype.str} {array.shape}".encode(), array.tobytes()]
        return digest(parts)


def kernel_at(sde: LinearSDE, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`Psi(t, 0)` and `R(t)` at some times."""
    return sde.transition(times, np.zeros_like(times)), sde.root(times)


def write(path: pathlib.Path, fitted: Fitted) -> None:
    """Write a file, whole or not at all."""
    with atomic_write(path) as draft, draft.open("wb") as stream:
        arrays: dict[str, Any] = {**fitted.arrays(), "digest": np.array(fitted.digest())}
        np.savez(stream, **arrays)


def read(path: pathlib.Path) -> Fitted:
    """Read and check a file.

    Raises:
      FileNotFoundError: if it is not there.
      ValueError: if it is not as `write` wrote it.
    """
    what = "a file of a tuned table"
    arrays = read_arrays(path, what, largest=_LARGEST)
    with reading(path, what):
        fitted = _fitted(arrays)
        if fitted.digest() != str(arrays["digest"]):
            raise ValueError("its digest does not fit its contents")
    return fitted


def _fitted(arrays: dict[str, np.ndarray]) -> Fitted:
    columns: dict[str, Any] = {
        name.removeprefix(_COLUMN): array
        for name, array in arrays.items()
        if name.startswith(_COLUMN)
    }
    table = Table(**columns, history=int(arrays["history"]))
    return Fitted(table, arrays["signal"], arrays["root"], json.loads(str(arrays["record"])))
