"""PNG files that a server sends, and no other kind of file."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
from PIL import Image

from gddim_tf.serving.errors import WrongAnswer

_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
# The type of colour in the header of a file, by channels.
_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}
# Pixels of an image whose size is not known beforehand.
_MOST_PIXELS = 2**24


def decode_pngs(files: Sequence[bytes] | np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray:
    """Images of equal size and 8 bits from PNG files.

    Args:
      files: their contents.
      shape: `(height, width, C)` that they must have; None for that of the first.

    Returns:
      `[files, height, width, C]` uint8.

    Raises:
      WrongAnswer: if one is no PNG file, damaged, or of another shape; before it is decoded.
    """
    images = []
    for file in files:
        shape = shape or _described(file)
        if _described(file) != shape:
            raise WrongAnswer(
                f"the answer must hold images of {list(shape)}, received {list(_described(file))}"
            )
        images.append(_decoded(file).reshape(shape))
    return np.stack(images)


def _described(file: bytes) -> tuple[int, int, int]:
    """Height, width and channels that the header states."""
    if file[:16] != _START or len(file) < 33:
        raise WrongAnswer(f"the answer must hold PNG files, received one that begins {file[:8]!r}")
    width, height, bits, colour = struct.unpack(">IIBB", file[16:26])
    channels = next((n for n, known in _COLOURS.items() if known == colour), 0)
    if bits != 8 or not channels or not 0 < width * height <= _MOST_PIXELS:
        raise WrongAnswer(
            "the answer must hold PNG files of 8 bits without a palette, received one of "
            f"{height} x {width} pixels, {bits} bits and type of colour {colour}"
        )
    return height, width, channels


def _decoded(file: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(file), formats=["PNG"]) as image:
            return np.asarray(image)
    # what Pillow raises for a damaged file; struct.error where a chunk ends early
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise WrongAnswer(f"the answer holds a damaged PNG file: {error}") from error
