"""Which file is which."""

from __future__ import annotations

import hashlib
import os
import pathlib

_CHUNK = 2**20


def file_digest(path: str | os.PathLike) -> str:
    """The SHA-256 of a file, or of all files of a folder in the order of their names.

    Args:
        path: of a file or folder.

    Returns:
        64 hexadecimal digits.
    """
    path = pathlib.Path(path)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
