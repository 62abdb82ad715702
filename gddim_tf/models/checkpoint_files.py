"""The checkpoints in the folder of a run: which there are, and which of them are whole."""

from __future__ import annotations

import os
import pathlib
import re

from gddim_tf.reading import DamagedFileError
from gddim_tf.sealed import read_seal

# Runs of earlier versions hold `.weights.h5`, which Keras reads as well.
_NAME = re.compile(r"epoch-([0-9]{6,})\.(?:keras|weights\.h5)")


def checkpoint_path(directory: pathlib.Path, epoch: int) -> pathlib.Path:
    """Where the checkpoint after so many epochs is."""
    return directory / f"epoch-{epoch:06d}.keras"


def stored(directory: str | os.PathLike) -> list[tuple[int, pathlib.Path]]:
    """The epochs and paths of all checkpoints, the newest first."""
    found = []
    for path in pathlib.Path(directory).glob("epoch-*"):
        if match := _NAME.fullmatch(path.name):
            found.append((int(match[1]), path))
    return sorted(found, reverse=True)


def newest_whole(
    directory: str | os.PathLike,
) -> tuple[int, pathlib.Path | None, list[DamagedFileError]]:
    """The newest checkpoint that is what its seal was written for.

    Args:
      directory: of the checkpoints.

    Returns:
      Its epoch, its path, and what was wrong with those after it; 0 and None if there is none.

    Raises:
      DamagedFileError: if there are checkpoints and none of them is whole: to begin anew would
        throw a training away.
    """
    damaged = []
    for epoch, path in stored(directory):
        try:
            facts = read_seal(path, {"epoch": int})
            if facts["epoch"] != epoch:
                raise DamagedFileError(
                    f"{path} has a seal of epoch {facts['epoch']}, which must be {epoch}"
                )
        except DamagedFileError as error:
            damaged.append(error)
            continue
        return epoch, path, damaged
    if damaged:
        reasons = "; ".join(map(str, damaged))
        raise DamagedFileError(
            f"no checkpoint in {directory} is whole ({reasons}); put one back, or remove them all "
            "to begin anew"
        )
    return 0, None, []
