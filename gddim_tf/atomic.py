"""Files that appear whole or not at all, and what is said when a disk is full."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

# What the system says when there is no room: on the disk, in a quota, in a file.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# HDF5 and TensorFlow tell the reason in the text alone.
_FULL_TEXTS = ("no space left on device", "disk quota exceeded", "file too large", "errno = 28")


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
        if any(text in str(error).lower() for text in _FULL_TEXTS):
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
    """
    target = Path(path)
    with room_for(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-") as folder:
            draft = Path(folder) / target.name
            yield draft
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(draft, target)
