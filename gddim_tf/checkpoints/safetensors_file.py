"""Reading safetensors files."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def read(path: Path) -> dict[str, np.ndarray]:
    """Return all tensors of a safetensors file.

    Raises:
      ValueError: if the file is damaged or of another format.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from error
