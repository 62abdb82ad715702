"""Pictures for people: grids, comparisons, and the path of the denoising."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from gddim_tf.atomic import atomic_write
from gddim_tf.data.pixels import to_uint8

if TYPE_CHECKING:
    from PIL import Image

_GAP = 2
_SMALLEST_TILE = 48


def as_uint8(images: ArrayLike, name: str = "images") -> np.ndarray:
    """Images as bytes, checked.

    Args:
        images: any shape, floating point in [-1, 1] (values outside are clipped), or uint8, which
            comes back unchanged.
        name: what the argument is called in error messages.

    Returns:
        A uint8 array of the same shape.

    Raises:
        TypeError: for another integer type, whose range would be a guess.
        ValueError: for NaN or infinite pixels.
    """
    values = tf.convert_to_tensor(images)
    if values.dtype == tf.uint8:
        return values.numpy()
    if not values.dtype.is_floating:
        raise TypeError(
            f"`{name}` must be uint8, or floating point in [-1, 1], received {values.dtype.name}"
        )
    bad = int(tf.math.count_nonzero(~tf.math.is_finite(values)))
    if bad:
        raise ValueError(
            f"`{name}` must be finite, received NaN or infinity in {bad} pixels of shape "
            f"{values.shape}"
        )
    return to_uint8(values).numpy()


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
    grid = _grid(_image_batch(images, "images"), columns, scale)
    _save(_with_heads(grid, titles) if titles else grid, path)


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
        real: [count, height, width, channels], as in `save_grid`; the left panel.
        generated: likewise, the right panel.
        path: the picture; written atomically.
        columns: images per row of each panel.
        scale: enlargement, as in `save_grid`.
        titles: what stands above the panels.

    Raises:
        TypeError, ValueError: as `save_grid`; the message names `real` or `generated`.
    """
    from PIL import Image

    panels = [
        _titled(_grid(_image_batch(images, name), columns, scale), title)
        for images, name, title in zip(
            (real, generated), ("real", "generated"), titles, strict=True
        )
    ]
    gap = 8 * _GAP
    size = (
        panels[0].width + gap + panels[1].width,
        max(panels[0].height, panels[1].height),
    )
    picture = Image.new("RGB", size, "white")
    picture.paste(panels[0], (0, 0))
    picture.paste(panels[1], (panels[0].width + gap, 0))
    with atomic_write(path) as draft:
        picture.save(draft)


def save_strip(states: ArrayLike, path: str | os.PathLike[str], scale: int | None = None) -> None:
    """Save the path of the denoising: one row per image, time running from left to right.

    Args:
        states: [steps, count, height, width, channels], uint8 or float in [-1, 1].
        path: the picture; written atomically.
        scale: enlargement, as in `save_grid`.

    Raises:
        TypeError, ValueError: as `save_grid`.
    """
    frames = _image_path(states)
    steps, count = frames.shape[:2]
    rows = np.swapaxes(frames, 0, 1).reshape(count * steps, *frames.shape[2:])
    _save(_grid(rows, steps, scale), path)


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
        columns: images per row, as in `save_grid`.
        scale: enlargement, as in `save_grid`.
        milliseconds: how long a frame is shown (the format counts in tens of milliseconds).

    Raises:
        TypeError, ValueError: as `save_grid`.
    """
    from PIL import Image

    frames = [Image.fromarray(_grid(frame, columns, scale)) for frame in _image_path(states)]
    with atomic_write(path) as draft:
        frames[0].save(
            draft,
            save_all=True,
            append_images=frames[1:],
            duration=[milliseconds] * (len(frames) - 1) + [20 * milliseconds],
            loop=0,
        )


def _image_batch(images: ArrayLike, name: str) -> np.ndarray:
    """Return checked uint8 images [count, height, width, 3]."""
    pixels = as_uint8(images, name)
    if pixels.ndim != 4 or pixels.shape[-1] not in (1, 3) or pixels.size == 0:
        raise ValueError(
            f"`{name}` must have shape [count, height, width, 1 or 3], received {pixels.shape}"
        )
    return np.broadcast_to(pixels, (*pixels.shape[:-1], 3))


def _image_path(states: ArrayLike) -> np.ndarray:
    """Return checked uint8 states [steps, count, height, width, 3]."""
    pixels = as_uint8(states, "states")
    if pixels.ndim != 5 or pixels.shape[-1] not in (1, 3) or pixels.size == 0:
        raise ValueError(
            "`states` must have shape [steps, count, height, width, 1 or 3], "
            f"received {pixels.shape}"
        )
    return np.broadcast_to(pixels, (*pixels.shape[:-1], 3))


def _grid(images: np.ndarray, columns: int | None, scale: int | None) -> np.ndarray:
    """Lay [count, height, width, 3] out on a white canvas, with gaps between the tiles."""
    for name, value in (("columns", columns), ("scale", scale)):
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be at least 1, received {value}")
    count = len(images)
    columns = columns or math.ceil(math.sqrt(count))
    tiles = enlarged(images, scale)
    height, width = tiles.shape[1:3]
    rows = math.ceil(count / columns)
    shape = (rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3)
    canvas = np.full(shape, 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + _GAP), index % columns * (width + _GAP)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def enlarged(images: np.ndarray, scale: int | None = None) -> np.ndarray:
    """Coloured images whose pixels are squares.

    Args:
        images: uint8 [count, height, width, 1 or 3].
        scale: pixels per pixel; by default as many as make small images visible.

    Returns:
        uint8 [count, height * scale, width * scale, 3].
    """
    count, height, width, _ = images.shape
    scale = scale or max(1, _SMALLEST_TILE // max(height, width))
    coloured = np.broadcast_to(images, (count, height, width, 3))
    return coloured.repeat(scale, axis=1).repeat(scale, axis=2)


def _with_heads(grid: np.ndarray, titles: Sequence[str]) -> np.ndarray:
    """Put a title above each column of a grid."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=11)
    pitch = (grid.shape[1] + _GAP) // len(titles)
    heads = Image.new("RGB", (grid.shape[1], 16), "white")
    for column, title in enumerate(titles):
        head = Image.new("RGB", (pitch - _GAP, 16), "white")
        ImageDraw.Draw(head).text((0, 1), title, fill="black", font=font)
        heads.paste(head, (column * pitch, 0))
    return np.concatenate([np.asarray(heads), grid])


def _titled(grid: np.ndarray, title: str) -> Image.Image:
    """Put a grid below its title; the picture is widened where the title needs it."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=16)
    width = max(grid.shape[1], math.ceil(font.getlength(title)))
    picture = Image.new("RGB", (width, grid.shape[0] + 24), "white")
    ImageDraw.Draw(picture).text((0, 2), title, fill="black", font=font)
    picture.paste(Image.fromarray(grid), (0, 24))
    return picture


def _save(picture: np.ndarray, path: str | os.PathLike[str]) -> None:
    """Write one picture atomically, in the format of the path's suffix."""
    from PIL import Image

    with atomic_write(path) as draft:
        Image.fromarray(picture).save(draft)
