"""Files that may be damaged: one error, which names the file."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

# What readers of JSON, zip, HDF5, NumPy and protocol buffers raise for contents that they did not
# expect.
_DAMAGE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
# Bytes of a description; a model's is some thousand.
LARGEST_JSON = 16 * 2**20


class DamagedFileError(ValueError):
    """A file does not hold what it should: it is damaged, cut short, or something else."""


@contextlib.contextmanager
def reading(path: str | os.PathLike, what: str) -> Iterator[None]:
    """Around the reading of a file, and of nothing else: what goes wrong names the file.

    Args:
      path: of the file or folder.
      what: it should be, as in "a .keras file".

    Raises:
      DamagedFileError: in place of what a reader raises for unexpected contents.
      OSError: as it was, if it tells a file.
    """
    try:
        yield
    except DamagedFileError:
        raise
    except OSError as error:
        if error.filename is not None:
            raise
        raise _damaged(path, what, error) from error
    except _DAMAGE as error:
        raise _damaged(path, what, error) from error


def read_json(
    path: str | os.PathLike, what: str, required: Mapping[str, type] | None = None
) -> dict[str, Any]:
    """The object in a JSON file.

    Args:
      path: of the file.
      what: it should be, for the message.
      required: names that the object must have, each with the type of its value.

    Raises:
      DamagedFileError: if the file holds something else, or more than `LARGEST_JSON` bytes.
      OSError: if it cannot be read.
    """
    with reading(path, what), pathlib.Path(path).open("rb") as file:
        content = file.read(LARGEST_JSON + 1)
        if len(content) > LARGEST_JSON:
            raise ValueError(f"it has more than {LARGEST_JSON} bytes")
        value = json.loads(content)
        if not isinstance(value, dict):
            raise ValueError(f"it holds a {type(value).__name__} where an object must be")
        for name, kind in (required or {}).items():
            found = value.get(name)
            if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
                raise TypeError(f"{name!r} must be of type {kind.__name__}, and is {found!r:.60}")
        return value


def _damaged(path: str | os.PathLike, what: str, error: Exception) -> DamagedFileError:
    reason = " ".join(str(error).split())[:300]
    kind = type(error).__name__
    return DamagedFileError(f"{os.fspath(path)} must be {what}, and is damaged: {kind}: {reason}")
