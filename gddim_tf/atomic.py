"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Hand out a temporary path beside `path`, and move it there when the block has succeeded.

    The temporary file has the same name in a folder of its own, so that writers which look at the
    suffix choose the same format. An interrupted or failing block leaves an older file at `path`
    untouched.

    Args:
        path: where the file shall be; missing folders are made.

    Yields:
        The path to write to.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-") as folder:
        draft = Path(folder) / target.name
        yield draft
        os.replace(draft, target)
