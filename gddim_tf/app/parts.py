"""The parts of the page: fields, frames, captions, and what was painted."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from gddim_tf.app.studio import IN_TURN, MOST_GUIDANCE, Drawn, Studio, Wish
from gddim_tf.data.pictures import grid

LAST_SEED = 2**31 - 1
# Pixels of a picture's side, and how much of a pixel must be painted.
_SHOWN, _PAINTED = 384, 0.25


def conditions(studio: Studio, one: bool = False) -> tuple[Any, Any, Any]:
    """Seed, class and guidance; the last two are hidden for a model without classes."""
    seed = gr.Number(
        0,
        label="Seed",
        info="the same one, the same noise",
        precision=0,
        minimum=0,
        maximum=LAST_SEED,
        min_width=90,
    )
    labels = [name for name in studio.labels if not (one and name == IN_TURN)]
    label = gr.Dropdown(
        labels or [IN_TURN],
        value=labels[0] if labels else IN_TURN,
        label="Class",
        info="what shall be drawn",
        visible=bool(labels),
        min_width=120,
    )
    guidance = gr.Slider(
        *(0, MOST_GUIDANCE, 1),
        step=0.1,
        label="Guidance",
        info="to the class; 1 is plain",
        visible=bool(labels),
        min_width=160,
    )
    return seed, label, guidance


def frame(name: str) -> tuple[Any, Any]:
    """A picture, and what is said below it."""
    picture = gr.Image(
        show_label=False,
        format="png",
        interactive=False,
        buttons=["download"],
        elem_classes="picture",
        elem_id=name,
    )
    return picture, gr.Markdown(elem_classes="caption", elem_id=f"{name}-told")


def wish_of(seed: int, count: int, label: str, guidance: float) -> Wish:
    """What is wished for in the fields of the page."""
    return Wish(seed, int(count), label, float(guidance))


def picture(images: np.ndarray) -> np.ndarray:
    """A grid, enlarged to about the size at which it is shown."""
    root = math.ceil(math.sqrt(len(images)))
    full = (columns for columns in range(root, 2 * root) if len(images) % columns == 0)
    columns = next(full, root)
    return grid(images, columns, max(1, _SHOWN // (columns * images.shape[2])))


def caption(drawn: Drawn) -> str:
    """What stands below a picture."""
    took = f"{drawn.nfe} evaluations in {drawn.seconds:.2g} s."
    if drawn.error is None:
        return f"It draws further noise, so there is nothing to compare. {took}"
    return f"**Error {drawn.error:.3g}** from the long run (RMS, pixels from -1 to 1). {took}"


def unknown_pixels(editor: dict, shape: tuple[int, int]) -> np.ndarray:
    """The pixels that are painted over, `[height, width]`."""
    layers = (editor or {}).get("layers") or ()
    unknown = np.zeros(shape, bool)
    for layer in layers:
        rows, columns = (np.arange(n) * s // n for n, s in zip(layer.shape[:2], shape, strict=True))
        covered, size = np.zeros(shape), np.zeros(shape)
        np.add.at(covered, (rows[:, None], columns[None]), layer[..., 3] > 0)
        np.add.at(size, (rows[:, None], columns[None]), 1)
        unknown |= covered > _PAINTED * size
    if not unknown.any():
        raise ValueError("something must be painted over")
    return unknown


def explained(function: Callable) -> Callable:
    """What a user can get wrong as a message on the page."""

    @functools.wraps(function)
    def call(*values: Any) -> Any:
        try:
            return function(*values)
        except (ValueError, TypeError, ArithmeticError) as error:
            gr.Warning(" ".join(str(error).split()), title="Not drawn")
            return gr.skip()  # what was drawn before stays

    return call
