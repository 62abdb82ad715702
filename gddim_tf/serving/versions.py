"""Versions of a served model: numbered folders that a reader sees whole or not at all."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator


def versions(directory: str | os.PathLike) -> list[int]:
    """The numbers that are there, in increasing order."""
    names = (path.name for path in pathlib.Path(directory).glob("*"))
    return sorted(int(name) for name in names if name.isdecimal())


@contextlib.contextmanager
def new_version(directory: pathlib.Path, version: int | None) -> Iterator[tuple[pathlib.Path, int]]:
    """Hand out a folder to fill; it gets its number in one step when the block has succeeded.

    A block that fails (on a full disk, say) leaves the directory as it was.

    Args:
      directory: parent of the versions.
      version: a positive integer not there yet, or None for the next one.

    Yields:
      The folder, hidden until then, and its number.

    Raises:
      ValueError: if the version exists or is not positive.
    """
    version = max(versions(directory), default=0) + 1 if version is None else version
    target = directory / str(version)
    if version < 1 or target.exists():
        raise ValueError(f"`version` must be positive and new in {directory}, received {version}")
    directory.mkdir(parents=True, exist_ok=True)
    draft = pathlib.Path(tempfile.mkdtemp(prefix=".writing-", dir=directory))
    try:
        yield draft, version
        draft.chmod(0o755)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def prune(directory: pathlib.Path, keep: int, new: int) -> list[int]:
    """Remove all but version `new` and the `keep` highest, each hidden before it is emptied.

    Returns:
      The numbers that are gone.
    """
    gone = [version for version in versions(directory)[:-keep] if version != new]
    for version in gone:
        hidden = pathlib.Path(tempfile.mkdtemp(prefix=".removing-", dir=directory))
        (directory / str(version)).rename(hidden / str(version))
        shutil.rmtree(hidden)
    return gone
