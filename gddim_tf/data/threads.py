"""Several files at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# Each may hold a picture of some megabytes; on machines of many cores the disk is the limit.
_MOST = 16


def in_threads(function: Callable[[Path], T], files: Iterable[Path]) -> list[T]:
    """Apply a function to every file; Pillow and hashes work outside Python's lock."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST)) as pool:
        return list(pool.map(function, files))
