"""Which images these are: one number for a set of files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from gddim_tf.data.threads import in_threads


def digest_of_files(root: Path, files: Sequence[Path], told: Iterable[str] = ()) -> str:
    """The SHA-256 of the names and contents of files, and of some words.

    Args:
        root: the folder that names are relative to, so that it may be moved.
        files: below it, in an order that belongs to the data set.
        told: what else tells the set from others, such as its classes.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for word in told:
        digest.update(word.encode(errors="surrogateescape") + b"\0")
    for file, content in zip(files, in_threads(_content_digest, files), strict=True):
        name = file.relative_to(root).as_posix().encode(errors="surrogateescape")
        digest.update(name + b"\0" + content)
    return digest.hexdigest()


def _content_digest(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
