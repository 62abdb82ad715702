"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import socket
import time
from collections.abc import Iterator

LOCK_FILE = ".lock"


class FolderInUseError(OSError):
    """Another process works in a folder."""


@contextlib.contextmanager
def exclusive(directory: str | os.PathLike) -> Iterator[None]:
    """Keep other processes out of a folder for as long as the block runs.

    The lock is the system's, on the file `.lock`, and goes with the process however it ends; the
    file tells whose it is.

    Args:
      directory: made if it is missing.

    Raises:
      FolderInUseError: if another process is in such a block; the message tells which.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / LOCK_FILE
    descriptor = _locked(path, directory)
    try:
        os.ftruncate(descriptor, 0)
        holder = f"process {os.getpid()} on {socket.gethostname()} since {time.ctime()}"
        with contextlib.suppress(OSError):  # a full disk has room for a lock, not for its story
            os.pwrite(descriptor, holder.encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is released, so that nobody else's is removed
        os.close(descriptor)


def _locked(path: pathlib.Path, directory: pathlib.Path) -> int:
    """An open and locked file that is still the one at the path."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
            os.close(descriptor)
            raise FolderInUseError(
                f"{directory} is in use by {holder}; wait for it, or use another folder"
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        with contextlib.suppress(FileNotFoundError):  # its holder has just ended
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        os.close(descriptor)
