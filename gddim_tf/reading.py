"""Files that may be damaged: one error, which names the file."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pathlib
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Container, Iterator, Mapping
from typing import Any

import numpy as np

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
    SyntaxError,
    tokenize.TokenError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
# Bytes of a description; a model's is some thousand.
LARGEST_JSON = 16 * 2**20
# Bytes of all arrays in an archive.
LARGEST_ARRAYS = 2**33


class DamagedFileError(ValueError):
    """A file does not hold what it should: it is damaged, cut short, or something else."""


@contextlib.contextmanager
def reading(path: str | os.PathLike, what: str) -> Iterator[None]:
    """Around the reading of a file, and of nothing else: what goes wrong names the file.

    Args:
      path: of the file or folder.
      what: it should be, as in "a .keras file".

    Raises:
      DamagedFileError: in place of what a reader raises for unexpected contents, unless it is a
        `ValueError` that names the file; or if it is neither file nor folder, such as a FIFO, of
        which reading would never end.
      OSError: as it was, if it tells a file.
    """
    check_ordinary(path, what)
    try:
        yield
    except DamagedFileError:
        raise
    except OSError as error:
        if error.filename is not None:
            raise
        raise _damaged(path, what, error) from error
    except _DAMAGE as error:
        if isinstance(error, ValueError) and os.fspath(path) in str(error):
            raise  # it tells all
        raise _damaged(path, what, error) from error


def check_ordinary(path: str | os.PathLike, what: str) -> None:
    """Refuse FIFOs, sockets and devices; what is not there is left to the reader.

    Raises:
      DamagedFileError: if it is one of these.
    """
    path = pathlib.Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DamagedFileError(f"{path} must be {what}, received no ordinary file")


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


def read_arrays(
    path: str | os.PathLike,
    what: str,
    names: Container[str] | None = None,
    largest: int = LARGEST_ARRAYS,
) -> dict[str, np.ndarray]:
    """The arrays in a NumPy archive (`.npz`), none of them a pickle.

    Args:
      path: of the file.
      what: it should be, for the message.
      names: of the arrays to read; None for all.
      largest: bytes that they may have together, which are looked up before any of them is read.

    Raises:
      DamagedFileError: if the file holds something else, or an array is not as large as it says.
      OSError: if it cannot be read.
    """
    with reading(path, what), zipfile.ZipFile(path) as archive:
        parts = {part.filename.removesuffix(".npy"): part for part in archive.infolist()}
        chosen = {name: part for name, part in parts.items() if names is None or name in names}
        size = sum(part.file_size for part in chosen.values())
        if size > largest:
            raise ValueError(f"it unpacks to {size} bytes")
        return {name: _array(archive, name, part) for name, part in chosen.items()}


def _array(archive: zipfile.ZipFile, name: str, part: zipfile.ZipInfo) -> np.ndarray:
    """An array whose header tells what there is."""
    with archive.open(part) as stream:
        old = np.lib.format.read_magic(stream) == (1, 0)
        read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
        if math.prod(shape) * max(dtype.itemsize, 1) > part.file_size:
            raise ValueError(f"{name!r} says that it has the shape {shape}")
    with archive.open(part) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False)
        if stream.read(1):  # which also compares the checksum
            raise ValueError(f"{name!r} has more bytes than its shape {shape} tells")
        return array


def _damaged(path: str | os.PathLike, what: str, error: Exception) -> DamagedFileError:
    reason = " ".join(str(error).split())[:300]
    kind = type(error).__name__
    return DamagedFileError(f"{os.fspath(path)} must be {what}, and is damaged: {kind}: {reason}")
