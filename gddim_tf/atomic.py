"""Files that appear whole or not at all, and what is said when a disk is full."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# What the system says when there is no room: on the disk, in a quota, in a file.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# HDF5, TensorFlow and NumPy tell the reason in the text alone.
_FULL_TEXT = re.compile(
    r"no space left on device|disk quota exceeded|file too large|errno = 28"
    r"|\d+ requested and \d+ written",
    re.IGNORECASE,
)
# Folders of what is being written or removed, and nobody else's.
_DRAFT = re.compile(r"\.(?:writing|removing)-[a-z0-9_]{8}")


class DiskFullError(OSError):
    """There is no room for a file."""


@contextlib.contextmanager
def room_for(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn whatever a full disk makes a writer raise into one sentence.

    Args:
      path: what is written, for the message.

    Raises:
      DiskFullError: if the disk or the quota is full, or the file too large for the system.
    """
    try:
        yield
    except DiskFullError:
        raise
    except Exception as error:  # h5py, zipfile and TensorFlow each have kinds of their own
        if not _is_full(error):
            raise
        raise DiskFullError(
            f"there is no room on the disk for {path}; make some, or write elsewhere"
        ) from error


def _is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from, comes from a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if _FULL_TEXT.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Hand out a temporary path beside `path`, and move it there when the block has succeeded.

    The temporary file has the same name in a folder of its own, so that writers which look at the
    suffix choose the same format. An interrupted or failing block leaves an older file at `path`
    untouched. What it wrote is on the disk, not in a buffer, before the move.

    Args:
      path: where the file shall be; missing folders are made.

    Yields:
      The path to write to.

    Raises:
      DiskFullError: if there is no room for it; nothing is left behind.
      IsADirectoryError: if the path is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{target} must be a file, and is a folder")
    with room_for(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft_folder(target.parent) as folder:
            draft = folder / target.name
            yield draft
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(draft, target)


@contextlib.contextmanager
def draft_folder(parent: Path, prefix: str = ".writing-") -> Iterator[Path]:
    """Hand out a hidden folder that is gone after the block, whatever becomes of this process.

    The system's lock on it tells others that somebody is at work there; those that nobody holds any
    more, since a kill has ended their process, are removed first.

    Args:
      parent: where the folder is made.
      prefix: of its name, ".writing-" or ".removing-".

    Yields:
      The folder; the block may rename it.
    """
    remove_abandoned(parent)
    folder, descriptor = _held(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def remove_abandoned(parent: Path) -> None:
    """Remove the folders of `draft_folder` whose process has ended; others are left alone."""
    for name in sorted(os.listdir(parent)):
        if not _DRAFT.fullmatch(name):
            continue
        with contextlib.suppress(OSError):  # held, another user's, gone, or no folder
            descriptor = _lock(parent / name)
            try:
                shutil.rmtree(parent / name, ignore_errors=True)
            finally:
                os.close(descriptor)


def _held(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new folder and the descriptor that holds its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            descriptor = _lock(folder)
        except (BlockingIOError, FileNotFoundError):
            continue  # somebody took it for abandoned between the two lines
        except OSError:
            return folder, os.open(folder, os.O_RDONLY)  # a file system without locks
        if folder.exists():
            return folder, descriptor
        os.close(descriptor)


def _lock(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
