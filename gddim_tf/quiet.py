"""TensorFlow without the lines that it writes to the terminal when it starts."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def start_tensorflow() -> None:
    """Import TensorFlow and look for devices, and show what that writes only if it fails.

    Some of those lines are written before any log level is read. Afterwards errors are shown, and
    warnings where `TF_CPP_MIN_LOG_LEVEL` is set to let them.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _kept_back():
        import tensorflow

        tensorflow.config.list_physical_devices()


@contextlib.contextmanager
def _kept_back() -> Iterator[None]:
    """Keep what is written to the standard error, by C++ as well, and write it on failure."""
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            if failed:
                kept.seek(0)
                sys.stderr.write(kept.read().decode(errors="replace"))
