"""The size of an image: one number if it is square, else height and width."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence

ImageSize = int | tuple[int, int]


def sides(image_size: int | Sequence[int], name: str = "image_size") -> tuple[int, int]:
    """Height and width in pixels.

    Args:
      image_size: of a square image, or both.
      name: of the argument, for the error.

    Raises:
      ValueError: unless both are integers of at least 1.
    """
    if isinstance(image_size, Iterable):
        both, form = tuple(image_size), "(height, width), integers of"
    else:
        both, form = (image_size, image_size), "an integer of"
    if len(both) != 2 or not all(map(_is_side, both)):
        raise ValueError(f"`{name}` must be {form} at least 1, received {image_size!r}")
    return int(both[0]), int(both[1])


def _is_side(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        return False
    return int(value) >= 1


def compact(image_size: int | Sequence[int], name: str = "image_size") -> ImageSize:
    """One number for a square, else `(height, width)`; checked by `sides`."""
    height, width = sides(image_size, name)
    return height if height == width else (height, width)


def text(image_size: int | Sequence[int]) -> str:
    """The size as people write it, such as "32 x 32"."""
    return " x ".join(map(str, sides(image_size)))
