"""What a command will write, looked at before it works."""

from __future__ import annotations

import argparse
import enum
import errno
import os
import pathlib
import tempfile
from collections.abc import Mapping, Sequence


class Output(enum.Enum):
    """A kind of file or folder that a command writes."""

    FILE = "file"
    PICTURE = "picture"  # a file whose ending tells its format
    MODEL = "model"  # a .keras file, or a folder for one
    FOLDER = "folder"


def check_outputs(options: argparse.Namespace, writes: Mapping[str, Output]) -> None:
    """Refuse, before any work is done, what cannot be written at its end.

    Args:
      options: of a command.
      writes: the kind of each option that names what is written, by the option as it is typed.

    Raises:
      ValueError: if one is empty, has an ending that its kind has not, is a folder where a file is
        written or a file where a folder is, or lies in what is no folder.
      PermissionError: if nothing may be written there.
    """
    for option, kind in writes.items():
        value = getattr(options, option.lstrip("-").replace("-", "_"))
        if value is not None:
            check_output(option, value, kind)


def parsed(
    parser: argparse.ArgumentParser,
    writes: Mapping[str, Output],
    arguments: Sequence[str] | None = None,
) -> argparse.Namespace:
    """The options of a program that is no sub-command, their outputs looked at.

    Args:
      parser: which leaves with one line and code 2 for what `check_outputs` refuses.
      writes: see `check_outputs`.
      arguments: without the program's name; `sys.argv` by default.
    """
    options = parser.parse_args(arguments)
    try:
        check_outputs(options, writes)
    except (ValueError, PermissionError) as error:
        parser.error(str(error))
    return options


def check_output(option: str, path: str | os.PathLike[str], kind: Output) -> None:
    """Look at one of them; its errors are those of `check_outputs`."""
    if not str(path):
        raise ValueError(f"`{option}` must not be empty")
    place = pathlib.Path(path).absolute()
    if kind is Output.PICTURE:
        _check_picture(option, place.suffix.lower(), path)
    if kind is Output.MODEL and place.suffix not in ("", ".keras"):
        raise ValueError(f"`{option}` must end in .keras or be a folder, received {path}")
    folder = kind is Output.FOLDER or (kind is Output.MODEL and not place.suffix)
    there = next(part for part in (place, *place.parents) if part.exists())
    if folder and not there.is_dir():
        raise ValueError(f"`{option}` must be a folder, received {path}: {there} is a file")
    if not folder and place.is_dir():
        raise ValueError(f"`{option}` must be a file, received the folder {path}")
    if not folder and there == place:
        there = place.parent
    if not there.is_dir():
        raise ValueError(f"`{option}` must lie in a folder, received {path}: {there} is a file")
    if not _takes_files(there):
        raise PermissionError(f"`{option}` {path}: nothing may be written to {there}")


def _takes_files(folder: pathlib.Path) -> bool:
    """Whether a file can be made in a folder, by trying, as its rights tell root nothing."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError as error:
        return error.errno == errno.ENOSPC  # a full disk is told of by who finds it full


def _check_picture(option: str, ending: str, path: str | os.PathLike[str]) -> None:
    from PIL import Image

    Image.init()
    kinds = sorted(ending for ending, kind in Image.EXTENSION.items() if kind in Image.SAVE)
    if ending not in kinds:
        raise ValueError(
            f"`{option}` must end in .png or another of {', '.join(kinds)}, received {path}"
        )
