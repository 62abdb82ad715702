"""Which file is which, and which weights are which: the one way to hash."""

from __future__ import annotations

import hashlib
import os
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np

_CHUNK = 2**20


def digest(parts: Iterable[bytes | memoryview]) -> str:
    """The SHA-256 of parts that follow each other, 64 hexadecimal digits."""
    sha256 = hashlib.sha256()
    for part in parts:
        sha256.update(part)
    return sha256.hexdigest()


def file_digest(path: str | os.PathLike) -> str:
    """The SHA-256 of a file, or of all files of a folder in the order of their names.

    Args:
      path: of a file or folder.

    Returns:
      64 hexadecimal digits.
    """
    path = pathlib.Path(path)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return digest(chunk for file in files for chunk in _chunks(file))


def _chunks(file: pathlib.Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def arrays_digest(arrays: Iterable[np.ndarray], text: str = "") -> str:
    """The SHA-256 of arrays, their types and shapes, and what is told beside them.

    Args:
      arrays: in an order that means something.
      text: what they are.

    Returns:
      64 hexadecimal digits.
    """
    parts = [text.encode()]
    for array in arrays:
        parts += [f"{array.dtype.str}{array.shape}".encode(), array.tobytes()]
    return digest(parts)


def weights_fingerprint(arrays: Iterable[np.ndarray]) -> str:
    """Eight hexadecimal digits of the SHA-256 of some weights.

    The order and the names of the weights play no part: a `.keras` file and the SavedModel that was
    exported from it have the same fingerprint, unless the export rounds the weights. Scalars are
    left out, and what is no floating-point number, such as counters.

    Args:
      arrays: of any shapes.

    Returns:
      The digits.
    """
    weights = [np.asarray(array) for array in arrays]
    digests = sorted(
        digest([str(weight.shape).encode(), weight.tobytes()])
        for weight in weights
        if weight.ndim and (weight.dtype.kind == "f" or weight.dtype.name == "bfloat16")
    )
    return digest([" ".join(digests).encode()])[:8]
