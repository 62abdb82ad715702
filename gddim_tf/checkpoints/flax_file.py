"""Reading the msgpack files of Flax as a stream, keeping only the wanted parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

_ARRAY, _COMPLEX, _SCALAR = 1, 2, 3
_CHUNKED = "__msgpack_chunked_array__"
_DTYPES = {"bool", "float16", "float32", "float64", "complex64", "complex128"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_MAX_MAP, _MAX_ARRAY = 1 << 16, 64  # Flax writes lists as maps; arrays are only shapes


def read(path: Path, ema: bool = True) -> dict[str, np.ndarray]:
    """Return the parameters of a Flax checkpoint, by path ("Dense_0/kernel").

    Args:
      path: the file.
      ema: whether the moving average `params_ema` is read (sampling uses it); if not, or if there
        is none, `optimizer/target` or `params`. A file that is a bare parameter tree is read as
        such. Whatever else is in the file is skipped without being built.

    Raises:
      ValueError: if the file is damaged, declares more than it holds, or has no parameters.
    """
    import msgpack

    raw = [("optimizer", "target"), ("params",), ()]
    tensors = {}
    try:
        for place in [("params_ema",), *raw] if ema else raw:
            tree = _find(path, place)
            if tree is not None:
                tensors = dict(_leaves(tree, ""))
                break
    except (
        msgpack.UnpackException,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:  # what a hostile file can raise where it is taken apart
        raise ValueError(f"{path} is not a readable Flax checkpoint: {error}") from error
    if not tensors:
        raise ValueError(f"{path} holds no parameters")
    if any(name.startswith("params_ema/") for name in tensors):
        raise ValueError(f"{path} only holds the moving average: read it with `ema=True`")
    return tensors


def _find(path: Path, place: tuple[str, ...]) -> Any:
    """Return the subtree at a place, or None; what comes before it is skipped."""
    import msgpack

    size = path.stat().st_size
    with path.open("rb") as file:
        unpacker = msgpack.Unpacker(
            file,
            ext_hook=_leaf,
            max_buffer_size=size + 1,
            max_array_len=_MAX_ARRAY,
            max_map_len=_MAX_MAP,
            max_bin_len=size,
            max_str_len=size,
            max_ext_len=size,
        )
        for key in place:
            if not _advance_to(unpacker, key):
                return None
        return unpacker.unpack()


def _advance_to(unpacker: Any, key: str) -> bool:
    """Move to the value of a key of the map that starts here."""
    for _ in range(unpacker.read_map_header()):
        if unpacker.unpack() == key:
            return True
        unpacker.skip()
    return False


def _leaf(code: int, payload: bytes) -> Any:
    """Build the array or number of an extension type."""
    import msgpack

    limits = {"max_array_len": _MAX_ARRAY, "max_map_len": 0}
    if code == _COMPLEX:
        return complex(*msgpack.unpackb(payload, **limits))
    if code not in (_ARRAY, _SCALAR):
        raise ValueError(f"unknown extension type {code}")
    shape, name, content = msgpack.unpackb(payload, raw=True, **limits)
    name = name.decode()
    if name == "bfloat16":
        # The upper half of a float32.
        values = (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")
    elif name in _DTYPES:
        values = np.frombuffer(content, np.dtype(name).newbyteorder("<"))
    else:
        raise ValueError(f"unknown dtype {name!r}")
    if any(type(n) is not int or n < 0 for n in shape) or math.prod(shape) != values.size:
        raise ValueError(f"an array of shape {shape} holds {values.size} values")
    return values.reshape(shape)


def _leaves(tree: Any, prefix: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays of a nested map by path, joining those stored in pieces."""
    if isinstance(tree, Mapping):
        if tree.get(_CHUNKED):
            yield prefix, _join(tree)
            return
        for key, value in tree.items():
            yield from _leaves(value, f"{prefix}/{key}" if prefix else str(key))
    elif isinstance(tree, np.ndarray):
        yield prefix, tree


def _join(tree: Mapping[str, Any]) -> np.ndarray:
    """Return an array that was too large for one piece."""
    shape = [tree["shape"][str(i)] for i in range(len(tree["shape"]))]
    chunks = [tree["chunks"][str(i)] for i in range(len(tree["chunks"]))]
    return np.concatenate(chunks).reshape(shape)
