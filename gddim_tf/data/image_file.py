"""One picture from a file: which kinds are read, and how each becomes grey or RGB."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
# The decoders that a file may be given to, whatever its name: others of Pillow start programs.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
KINDS = "PNG, JPEG, WebP or BMP"
# Pixels of a picture; Pillow takes 4 bytes for each, and compositing makes copies.
LARGEST = 2**26
_LARGE, _STRIP = 2**22, 2**20
# Of large pictures one at a time is decoded, so that memory does not grow with the threads.
_one_large = threading.Lock()


@dataclass(frozen=True)
class Header:
    """What the first bytes of a picture tell.

    Attributes:
      width: in pixels, as stored.
      height: in pixels, as stored.
      grey: whether all of it is grey.
      transparent: whether it may be seen through.
    """

    width: int
    height: int
    grey: bool
    transparent: bool


def read_header(file: Path) -> Header:
    """Size and kind of a picture.

    Raises:
      ValueError: if the file is not a picture, or a too large one; the message names it.
    """
    from PIL import Image

    try:
        with Image.open(file, formats=FORMATS) as image:
            header = Header(*image.size, _is_grey(image), _is_transparent(image))
    except Exception as error:  # Pillow raises many kinds; all mean that this file is broken
        raise _broken(file, error) from error
    if header.width * header.height > LARGEST:
        raise ValueError(
            f"image file {file} must have at most {LARGEST} pixels, received "
            f"{header.width} x {header.height}; make it smaller"
        )
    return header


def decode(file: Path, size: tuple[int, int], channels: int, background: str) -> np.ndarray:
    """The picture in a file, upright, opaque, cut and resized.

    Grey is repeated for RGB, a palette is looked up, 16-bit grey is divided by 257, what can be
    seen through shows the background, and the orientation noted by a camera (EXIF) is applied. Then
    the largest centred part with the sides' ratio is resized with an antialiased bilinear filter.

    Args:
      file: the picture.
      size: (height, width) of the result.
      channels: 1 for grey, 3 for RGB.
      background: the name of a colour, such as "white" or "#808080".

    Returns:
      uint8 [height, width, channels].

    Raises:
      ValueError: if the file is no picture, or damaged.
    """
    header = read_header(file)
    if header.width * header.height <= _LARGE:
        return _decode(file, size, channels, background)
    with _one_large:
        return _decode(file, size, channels, background)


def _decode(file: Path, size: tuple[int, int], channels: int, background: str) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with Image.open(file, formats=FORMATS) as image:
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            part = _part(image, _centred(image.size, size), background, channels)
    except Exception as error:  # whatever a decoder raises
        raise _broken(file, error) from error
    pixels = np.asarray(part.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    return pixels.reshape(*size, channels)


def _part(
    image: Image.Image, box: tuple[int, int, int, int], background: str, channels: int
) -> Image.Image:
    """What lies in a box, opaque; in strips, so that a large picture is there only twice."""
    from PIL import Image

    left, top, right, bottom = box
    part = Image.new("L" if channels == 1 else "RGB", (right - left, bottom - top))
    rows = max(_STRIP // (right - left), 1)
    for start in range(top, bottom, rows):
        strip = image.crop((left, start, right, min(start + rows, bottom)))
        part.paste(_opaque(strip, background, channels), (0, start - top))
    return part


def _centred(stored: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The corners of the largest centred part whose sides are as those of `size`."""
    (width, height), (rows, columns) = stored, size
    wide, tall = min(width, height * columns // rows), min(height, width * rows // columns)
    wide, tall = max(wide, 1), max(tall, 1)
    left, top = (width - wide) // 2, (height - tall) // 2
    return left, top, left + wide, top + tall


def _opaque(image: Image.Image, background: str, channels: int) -> Image.Image:
    """The picture as grey or RGB, before a background where it can be seen through."""
    from PIL import Image

    mode = "L" if channels == 1 else "RGB"
    if image.mode.startswith("I"):  # 16 bits; Pillow would clip them at 255
        levels = np.asarray(image)
        picture = Image.fromarray((levels // 257).astype(np.uint8))
        if isinstance(clear := image.info.get("transparency"), int):
            picture.putalpha(Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8)))
        image = picture
    if not _is_transparent(image):
        return image.convert(mode)
    behind = Image.new("RGBA", image.size, background)
    return Image.alpha_composite(behind, image.convert("RGBA")).convert(mode)


def _is_grey(image: Image.Image) -> bool:
    return image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I")


def _is_transparent(image: Image.Image) -> bool:
    return image.has_transparency_data or "transparency" in image.info


def _broken(file: Path, error: Exception) -> ValueError:
    return ValueError(f"image file {file} must be a readable {KINDS}, received: {error}")
