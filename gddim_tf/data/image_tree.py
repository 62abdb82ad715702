"""The pictures below a folder, their classes, and what is there and not used."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gddim_tf.data.image_file import SUFFIXES

# It marks a folder of a training run, whose pictures are not data.
RUN_FILE = "recipe.json"


@dataclass(frozen=True)
class ImageTree:
    """What was found below a folder.

    Attributes:
      files: the pictures that are used, in the order of their paths.
      class_names: the sub-folders of the first level, in alphabetical order, or nothing.
      notes: how many files are not used and for which reasons, and why there are no classes.
    """

    files: tuple[Path, ...]
    class_names: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def walk(cls, root: Path) -> ImageTree:
        """List a folder; hidden files and folders and links to folders are not followed.

        If every picture lies in a sub-folder, the sub-folders are classes. So they are if there are
        two or more with pictures and a minority of pictures lies beside them, which is then not
        used. Otherwise there are no classes.
        """
        files, unused = _listed(root)
        folders = sorted({file.relative_to(root).parts[0] for file in files if file.parent != root})
        beside = [file for file in files if file.parent == root]
        notes = []
        if beside and len(folders) >= 2 and 2 * len(beside) < len(files):
            unused["beside the folders of the classes"] = len(beside)
            files = [file for file in files if file.parent != root]
        elif beside and folders:
            notes.append(
                f"no classes, since {len(beside)} of {len(files)} images lie beside the sub-folders"
            )
            folders = []
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(unused.items()) if count)
        if told:
            notes.append(f"not used: {told}")
        return cls(tuple(files), tuple(folders), tuple(notes))


def _listed(root: Path) -> tuple[list[Path], Counter[str]]:
    files, unused = [], Counter()

    def note(error: OSError) -> None:
        if Path(error.filename) == root:
            raise error
        unused["folders that cannot be opened"] += 1

    for folder, subfolders, names in os.walk(root, onerror=note):
        hidden = [name for name in subfolders if name.startswith(".")]
        # not Path.is_file, which raises where a folder cannot be entered
        runs = [name for name in subfolders if os.path.isfile(os.path.join(folder, name, RUN_FILE))]
        linked = [name for name in subfolders if Path(folder, name).is_symlink()]
        unused["hidden"] += len(hidden)
        unused["links to folders"] += len(linked)
        unused["folders of training runs"] += len(runs)
        subfolders[:] = sorted(set(subfolders) - {*hidden, *linked, *runs})
        for name in names:
            file = Path(folder, name)
            if name.startswith("."):
                unused["hidden"] += 1
            elif file.suffix.lower() not in SUFFIXES:
                unused[_ending(file)] += 1
            elif reason := _obstacle(file):
                unused[reason] += 1
            else:
                files.append(file)
    return sorted(files), unused


def _obstacle(file: Path) -> str | None:
    """Why a file cannot be read, if so; opening a FIFO would wait for ever."""
    try:
        kind = file.stat().st_mode
    except OSError:
        return "links to nothing"
    return None if stat.S_ISREG(kind) else "no ordinary files"


def _ending(file: Path) -> str:
    suffix = file.suffix.lower()
    return f"ending in {suffix}" if suffix else "without an ending"
