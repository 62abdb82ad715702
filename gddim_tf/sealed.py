"""Files that a small JSON file beside them vouches for."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from gddim_tf.atomic import atomic_write
from gddim_tf.digest import file_digest
from gddim_tf.reading import DamagedFileError, read_json


def seal_path(path: str | os.PathLike) -> pathlib.Path:
    """Where the seal of a file is: beside it, `.json` in place of its ending."""
    return pathlib.Path(path).with_suffix(".json")


def write_seal(
    path: str | os.PathLike, facts: Mapping[str, Any], content: str | os.PathLike
) -> None:
    """Vouch for a file that is complete.

    Args:
      path: where the file is, or will be.
      facts: what else the seal shall tell.
      content: a file that holds what is or will be at `path`.
    """
    sealed = {**facts, "sha256": file_digest(content)}
    with atomic_write(seal_path(path)) as draft:
        draft.write_text(json.dumps(sealed) + "\n")


def read_seal(path: str | os.PathLike, required: Mapping[str, type] | None = None) -> dict:
    """What the seal of a file tells, once it has been compared with the file.

    Args:
      path: of the file.
      required: what the seal must tell, each with its type.

    Raises:
      DamagedFileError: if there is no seal, it is damaged, or the file is not what it was sealed
        for.
    """
    seal = seal_path(path)
    if not seal.exists():
        raise DamagedFileError(f"{path} was cut short: its seal {seal.name} is missing")
    facts = read_json(seal, "a seal", {**(required or {}), "sha256": str})
    if facts["sha256"] != file_digest(path):
        raise DamagedFileError(f"{path} is not the file that {seal.name} was written for")
    return facts
