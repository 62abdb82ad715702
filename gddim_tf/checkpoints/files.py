"""Reading a file of weights, whatever its kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gddim_tf.checkpoints import flax_file, safetensors_file, torch_state
from gddim_tf.reading import reading

_MAX_HEADER = 100_000_000  # the limit that safetensors sets itself


def read(path: Path, ema: bool = True) -> dict[str, np.ndarray]:
    """Return the tensors of a file of any known kind, told by its first bytes.

    Prefixes that all names share, which wrappers of a network add, are removed.

    Args:
      path: the file.
      ema: whether to read the exponential moving average if the file holds one.

    Raises:
      ValueError: if the file is damaged, of an unknown kind, or could run code.
    """
    with reading(path, "a file of weights"):
        tensors = _read(path, ema)
    for prefix in ("module.", "model."):
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def _read(path: Path, ema: bool) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        head = file.read(9)
    if head.startswith(b"PK\x03\x04"):
        return torch_state.read(path, ema)
    if len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < _MAX_HEADER:
        return safetensors_file.read(path)
    if head.startswith(b"version h"):
        raise ValueError(
            f"{path} is a git-lfs pointer and not the file that it stands for: run `git lfs pull` "
            "in its clone"
        )
    if head[:1] == b"\x80":
        raise ValueError(
            f"{path} is a bare pickle, which can run code: refused; save it again with "
            "PyTorch 1.6 or later, or as safetensors"
        )
    if _starts_as_msgpack(head):
        return flax_file.read(path, ema)
    raise ValueError(f"{path} is neither a safetensors, PyTorch zip nor Flax msgpack file")


def _starts_as_msgpack(head: bytes) -> bool:
    """Whether a file begins with a msgpack map whose first key is text."""
    if len(head) < 9:
        return False
    key = {0xDE: 3, 0xDF: 5}.get(head[0], 1 if 0x81 <= head[0] <= 0x8F else None)
    return key is not None and (0xA1 <= head[key] <= 0xBF or 0xD9 <= head[key] <= 0xDB)
