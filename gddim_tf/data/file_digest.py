"""Which images these are: one number for a set of files."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from gddim_tf.data.threads import in_threads
from gddim_tf.digest import digest, file_digest


def digest_of_files(root: Path, files: Sequence[Path], told: Iterable[str] = ()) -> str:
    """The SHA-256 of the names and contents of files, and of some words.

    Args:
      root: the folder that names are relative to, so that it may be moved.
      files: below it, in an order that belongs to the data set.
      told: what else tells the set from others, such as its classes.

    Returns:
      64 hexadecimal digits.
    """
    words = (word.encode(errors="surrogateescape") + b"\0" for word in told)
    contents = in_threads(_content_digest, files)
    named = (
        file.relative_to(root).as_posix().encode(errors="surrogateescape") + b"\0" + content
        for file, content in zip(files, contents, strict=True)
    )
    return digest(itertools.chain(words, named))


def _content_digest(file: Path) -> bytes:
    return bytes.fromhex(file_digest(file))
