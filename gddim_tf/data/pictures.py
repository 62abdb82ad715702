"""Pictures for people: grids, comparisons, closest pairs, and the path of the denoising."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gddim_tf.atomic import atomic_write
from gddim_tf.data.pixels import as_uint8

_GAP = 2
_SMALLEST_TILE = 48
# Pixels of what is written above columns and panels, and of the letters.
_HEAD, _HEAD_FONT = 16, 11
_TITLE, _TITLE_FONT = 24, 16


def save_grid(
    images: ArrayLike,
    path: str | os.PathLike[str],
    columns: int | None = None,
    scale: int | None = None,
    titles: Sequence[str] | None = None,
) -> None:
    """Save images as one picture, row by row.

    Args:
      images: [count, height, width, channels], 1 or 3 channels, uint8 or float in [-1, 1].
      path: the picture, ".png" for a lossless one; written atomically.
      columns: images per row; by default about as many as there are rows.
      scale: each pixel becomes a square of so many pixels; by default small images are enlarged
        until they can be seen (8x8 six times).
      titles: what stands above the columns, cut where it is wider than one.

    Raises:
      TypeError: for an integer type other than uint8.
      ValueError: for another shape, no image at all, NaN or infinite pixels, or `columns` or
        `scale` below 1.
    """
    picture = grid(images, columns, scale)
    heads = [_heads(titles, picture.shape[1])] if titles else []
    _save(np.concatenate([*heads, picture]), path)


def grid(images: ArrayLike, columns: int | None = None, scale: int | None = None) -> np.ndarray:
    """The picture of `save_grid` without titles, `[height, width, 3]` uint8; arguments as there."""
    return _grid(_checked(images), columns, scale)


def save_comparison(
    real: ArrayLike,
    generated: ArrayLike,
    path: str | os.PathLike[str],
    columns: int | None = None,
    scale: int | None = None,
    titles: tuple[str, str] = ("real", "generated"),
) -> None:
    """Save two grids side by side, each below its title.

    Args:
      real: [count, height, width, channels], uint8 or float in [-1, 1]; the left panel.
      generated: likewise, the right panel.
      path: the picture; written atomically.
      columns: images per row of each panel.
      scale: pixels per pixel; by default small images are enlarged.
      titles: what stands above the panels, which are widened for it.

    Raises:
      TypeError, ValueError: for what `save_grid` refuses; the message names `real` or `generated`.
    """
    sides = {"real": real, "generated": generated}
    panels = []
    for (name, images), title in zip(sides.items(), titles, strict=True):
        grid = _grid(_checked(images, name), columns, scale)
        head = _written(title, grid.shape[1], _TITLE, _TITLE_FONT, widen=True)
        panels.append(np.concatenate([head, _padded(grid, len(grid), head.shape[1])]))
    height = max(len(panel) for panel in panels)
    left, right = (_padded(panel, height, panel.shape[1]) for panel in panels)
    _save(np.concatenate([left, _blank(height, 8 * _GAP), right], axis=1), path)


def save_closest_pairs(
    pairs: tuple[np.ndarray, np.ndarray], distances: ArrayLike, path: str | os.PathLike[str]
) -> None:
    """Save pairs of images as columns: generated, training image, distance.

    Args:
      pairs: generated and training images, [pairs, height, width, channels] each.
      distances: between them, [pairs].
      path: the picture; written atomically.
    """
    grid = _grid(np.concatenate([_checked(images) for images in pairs]), len(pairs[0]), None)
    labels = [f"{distance:.3g}" for distance in np.asarray(distances)]
    _save(np.concatenate([grid, _heads(labels, grid.shape[1])]), path)


def save_strip(states: ArrayLike, path: str | os.PathLike[str], scale: int | None = None) -> None:
    """Save the path of the denoising: one row per image, time running from left to right.

    Args:
      states: [steps, count, height, width, channels], uint8 or float in [-1, 1].
      path: the picture; written atomically.
      scale: pixels per pixel; by default small images are enlarged.

    Raises:
      TypeError, ValueError: for what `save_grid` refuses.
    """
    frames = _checked(states, "states", "steps, ")
    rows = np.swapaxes(frames, 0, 1).reshape(-1, *frames.shape[2:])
    _save(_grid(rows, len(frames), scale), path)


def save_gif(
    states: ArrayLike,
    path: str | os.PathLike[str],
    columns: int | None = None,
    scale: int | None = None,
    milliseconds: int = 80,
) -> None:
    """Save the path of the denoising as an animation of grids; the last frame stays for a while.

    Args:
      states: [steps, count, height, width, channels], uint8 or float in [-1, 1].
      path: the animation, ".gif"; written atomically.
      columns: images per row; by default about as many as there are rows.
      scale: pixels per pixel; by default small images are enlarged.
      milliseconds: how long a frame is shown (the format counts in tens of milliseconds).

    Raises:
      TypeError, ValueError: for what `save_grid` refuses.
    """
    from PIL import Image

    states = _checked(states, "states", "steps, ")
    frames = [Image.fromarray(_grid(frame, columns, scale)) for frame in states]
    durations = [milliseconds] * (len(frames) - 1) + [20 * milliseconds]
    options = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    with atomic_write(path) as draft:
        frames[0].save(draft, **options)


def _checked(images: ArrayLike, name: str = "images", steps: str = "") -> np.ndarray:
    """Coloured uint8 images [count, height, width, 3], or paths of them with one more axis."""
    pixels = as_uint8(images, name)
    if pixels.ndim != (5 if steps else 4) or pixels.shape[-1] not in (1, 3) or not pixels.size:
        raise ValueError(
            f"`{name}` must have shape [{steps}count, height, width, 1 or 3], "
            f"received {pixels.shape}"
        )
    return np.broadcast_to(pixels, (*pixels.shape[:-1], 3))


def _grid(images: np.ndarray, columns: int | None, scale: int | None) -> np.ndarray:
    """Lay [count, height, width, 3] out on a white canvas, with gaps between the tiles."""
    for name, value in (("columns", columns), ("scale", scale)):
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be at least 1, received {value}")
    columns = columns or math.ceil(math.sqrt(len(images)))
    scale = scale or max(1, _SMALLEST_TILE // max(images.shape[1:3]))
    tiles = images.repeat(scale, axis=1).repeat(scale, axis=2)
    height, width = tiles.shape[1] + _GAP, tiles.shape[2] + _GAP
    canvas = _blank(math.ceil(len(images) / columns) * height - _GAP, columns * width - _GAP)
    for index, tile in enumerate(tiles):
        top, left = index // columns * height, index % columns * width
        canvas[top : top + height - _GAP, left : left + width - _GAP] = tile
    return canvas


def _heads(titles: Sequence[str], width: int) -> np.ndarray:
    """A line with a title for each of so many columns, `[16, width, 3]`."""
    pitch = (width + _GAP) // len(titles)
    heads = [_written(title, pitch - _GAP, _HEAD, _HEAD_FONT) for title in titles]
    line = np.concatenate([_padded(head, _HEAD, pitch) for head in heads], axis=1)
    return _padded(line, _HEAD, max(width, line.shape[1]))[:, :width]


def _written(text: str, width: int, height: int, font_size: int, widen: bool = False) -> np.ndarray:
    """A white picture `[height, width, 3]` with a text, cut or as wide as it has to be."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=font_size)
    if widen:
        width = max(width, math.ceil(font.getlength(text)))
    picture = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(picture).text((0, height // 12), text, fill="black", font=font)
    return np.asarray(picture)


def _blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def _padded(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The picture with white below and on the right."""
    canvas = _blank(height, width)
    canvas[: picture.shape[0], : picture.shape[1]] = picture
    return canvas


def _save(picture: np.ndarray, path: str | os.PathLike[str]) -> None:
    """Write one picture atomically, in the format of the path's suffix."""
    from PIL import Image

    with atomic_write(path) as draft:
        Image.fromarray(picture).save(draft)
