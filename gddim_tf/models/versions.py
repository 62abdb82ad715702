"""Versions of a served model: numbered folders that a reader sees whole or not at all."""

from __future__ import annotations

import contextlib
import operator
import os
import pathlib
import re
import warnings
from collections.abc import Iterator
from typing import SupportsIndex

from gddim_tf.atomic import draft_folder
from gddim_tf.locking import exclusive

# What `ServedModel` reads, in `assets.extra` of every version; it marks a folder as an export.
DESCRIPTION = "gddim_tf.json"

# TF Serving keeps versions as int64.
LARGEST = 2**63 - 1

# All that an export writes into the folder of a version.
_WRITTEN = re.compile(
    r"saved_model\.pb|fingerprint\.pb|variables/variables\.(index|data-\d{5}-of-\d{5})"
    rf"|assets\.extra/({re.escape(DESCRIPTION)}|tf_serving_warmup_requests)"
)


def versions(directory: str | os.PathLike) -> list[int]:
    """The numbers of the exported models that are there, in increasing order."""
    folders = pathlib.Path(directory).glob("*/")
    return sorted(int(path.name) for path in folders if _is_export(path))


def check_version(version: SupportsIndex) -> int:
    """A number that a server takes for a version.

    Raises:
      ValueError: if it is not a whole number in 1 to 2^63 - 1.
    """
    try:
        number = 0 if isinstance(version, bool) else operator.index(version)
    except TypeError:
        number = 0
    if not 1 <= number <= LARGEST:
        raise ValueError(f"`version` must be a whole number from 1, received {version!r}")
    return number


@contextlib.contextmanager
def new_version(directory: pathlib.Path, version: int | None) -> Iterator[tuple[pathlib.Path, int]]:
    """Hand out a folder to fill; it gets its number in one step when the block has succeeded.

    A block that fails (on a full disk, say) leaves the directory as it was.

    Args:
      directory: parent of the versions.
      version: a positive integer not there yet, or None for the one after all that a server could
        take for a version, whoever wrote it.

    Yields:
      The folder, hidden until then, and its number.

    Raises:
      ValueError: if the version exists or is not positive.
      FolderInUseError: if another process fills one.
    """
    if version is not None:
        check_version(version)
    with exclusive(directory):
        taken = _numbers(directory)
        version = check_version(max(taken, default=0) + 1 if version is None else version)
        if version in taken:
            raise ValueError(
                f"`version` must be positive and new in {directory}, received {version}"
            )
        with draft_folder(directory) as draft:
            yield draft, version
            draft.chmod(0o755)
            draft.rename(directory / str(version))


def prune(directory: pathlib.Path, keep: int, new: int) -> list[int]:
    """Remove all exports but version `new` and the `keep` highest, each hidden, then emptied.

    Folders that no export wrote are neither counted nor touched; a version in which there is
    anything else is left, with a warning.

    Returns:
      The numbers that are gone.
    """
    gone = []
    for version in versions(directory)[:-keep]:
        folder = directory / str(version)
        if version == new or folder.is_symlink():
            continue
        if (foreign := _foreign_file(folder)) is not None:
            warnings.warn(
                f"{folder} is left there, for {foreign} is not of an export", stacklevel=3
            )
            continue
        hidden = draft_folder(directory, ".removing-")
        # another export may be faster
        with hidden as place, contextlib.suppress(FileNotFoundError):
            folder.rename(place / folder.name)
            gone.append(version)
    return gone


def _numbers(directory: pathlib.Path) -> set[int]:
    """The numbers that a server would see, which reads `007` as 7."""
    names = (path.name for path in directory.glob("*"))
    numbers = (int(name) for name in names if re.fullmatch(r"0*[0-9]{1,19}", name))
    return {number for number in numbers if number <= LARGEST}


def _is_export(folder: pathlib.Path) -> bool:
    """Whether an export could have made this folder; `007` and 2^63 it could not."""
    named = re.fullmatch(r"[1-9][0-9]{0,18}", folder.name) and int(folder.name) <= LARGEST
    files = ("saved_model.pb", f"assets.extra/{DESCRIPTION}")
    return bool(named) and all((folder / file).is_file() for file in files)


def _foreign_file(folder: pathlib.Path) -> str | None:
    """A file in a version that an export does not write, if there is one."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if _is_leaf(path))
    return next((name for name in sorted(names) if not _WRITTEN.fullmatch(name)), None)


def _is_leaf(path: pathlib.Path) -> bool:
    return path.is_symlink() or not path.is_dir()
