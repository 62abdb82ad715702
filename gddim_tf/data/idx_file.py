"""IDX, the file format of MNIST: a header of big-endian numbers and then the bytes of an array."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gddim_tf.reading import LARGEST_ARRAYS, check_ordinary

# The type of the numbers in a file, of which images and labels only have this one.
_UNSIGNED_BYTE = 0x08
_CHUNK = 2**24
_GZIP = b"\x1f\x8b"

_Stream = BinaryIO | gzip.GzipFile


def read_idx(path: Path, axes: int) -> np.ndarray:
    """Read an array of bytes, gzipped or not, whatever the file is called.

    Args:
      path: the file.
      axes: how many the array must have: 1 for labels, 3 for grey images.

    Returns:
      uint8 array of the shape that the header tells.

    Raises:
      ValueError: if the file is of another format or kind, or longer or shorter than it says.
    """
    try:
        with _open(path) as file:
            shape = _read_shape(file, path, axes)
            count = math.prod(shape)
            if count > LARGEST_ARRAYS:
                raise ValueError(f"IDX file {path} must not have so many bytes, received {shape}")
            # one byte more than there should be tells that there is too much
            content = _read(file, count + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"IDX file {path} must be whole, received: {error}") from error
    if len(content) != count:
        received = "more" if len(content) > count else len(content)
        raise ValueError(f"IDX file {path} must hold {count} bytes of data, received {received}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def read_idx_shape(path: Path, axes: int) -> tuple[int, ...]:
    """Read the shape of the array in a file, from its header alone.

    Args:
      path: the file.
      axes: how many the array must have.

    Raises:
      ValueError: if the file is of another format or kind.
    """
    try:
        with _open(path) as file:
            return _read_shape(file, path, axes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"IDX file {path} must be whole, received: {error}") from error


def _read(file: _Stream, count: int) -> bytes:
    """So many bytes, or all there are; what is not there takes no memory."""
    content = bytearray()
    while len(content) < count and (part := file.read(min(count - len(content), _CHUNK))):
        content += part
    return bytes(content)


def _open(path: Path) -> _Stream:
    """The first bytes tell what it is: browsers unpack such files and leave them their names."""
    check_ordinary(path, "an IDX file")
    with path.open("rb") as file:
        gzipped = file.read(len(_GZIP)) == _GZIP
    return gzip.open(path) if gzipped else path.open("rb")


def _read_shape(file: _Stream, path: Path, axes: int) -> tuple[int, ...]:
    header = file.read(4 + 4 * axes)
    expected = bytes((0, 0, _UNSIGNED_BYTE, axes))
    if len(header) < 4 + 4 * axes or header[:4] != expected:
        raise ValueError(
            f"IDX file {path} must begin with {expected.hex()} (unsigned bytes, {axes} axes), "
            f"received {header[:4].hex() or 'nothing'}"
        )
    shape = struct.unpack(f">{axes}I", header[4:])
    if 0 in shape:
        raise ValueError(f"IDX file {path} must hold data, received an array of shape {shape}")
    return shape
