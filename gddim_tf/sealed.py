"""JSON that may be damaged, and files that a small JSON file vouches for."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from gddim_tf.atomic import atomic_write
from gddim_tf.digest import file_digest

_LONGEST = 2**24


class DamagedFileError(ValueError):
    """A file does not hold what was once written to it."""


def read_json(path: str | os.PathLike, required: Mapping[str, type] | None = None) -> dict:
    """The JSON object in a file.

    Args:
      path: of the file.
      required: names that it must have, each with the type of its value.

    Returns:
      The object.

    Raises:
      DamagedFileError: if the file holds anything else, or more than 16 MiB.
      OSError: if it cannot be read.
    """
    path = pathlib.Path(path)
    if path.stat().st_size > _LONGEST:
        raise DamagedFileError(
            f"{path} must hold at most {_LONGEST} bytes of JSON, received {path.stat().st_size}"
        )
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # not JSON, not text, or nested without an end
        reason = str(error) or type(error).__name__
        raise DamagedFileError(f"{path} must hold JSON, received {reason}") from error
    if not isinstance(found, dict):
        raise DamagedFileError(f"{path} must hold a JSON object, received a {type(found).__name__}")
    for name, kind in (required or {}).items():
        value = found.get(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise DamagedFileError(
                f"{path} must have {name!r} of type {kind.__name__}, received {value!r:.60}"
            )
    return found


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
      required: as for `read_json`.

    Raises:
      DamagedFileError: if there is no seal, it is damaged, or the file is not what it was sealed
        for.
    """
    seal = seal_path(path)
    if not seal.exists():
        raise DamagedFileError(f"{path} was cut short: its seal {seal.name} is missing")
    facts = read_json(seal, {**(required or {}), "sha256": str})
    if facts["sha256"] != file_digest(path):
        raise DamagedFileError(f"{path} is not the file that {seal.name} was written for")
    return facts
