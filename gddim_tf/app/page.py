"""How the page looks, in Gradio."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from gddim_tf.app.studio import FINE, IN_TURN, MOST_GUIDANCE, MOST_NFE, Drawn, Studio, Wish
from gddim_tf.evaluation.images import grid

# What the lists of samplers offer; any other may be typed.
_OFFERED = (
    *("default", "ddim", "ddim(eta=1)", "gddim(order=2)", "gddim(order=3)", "deis(order=3)"),
    *("ipndm", "dpmsolver(order=2)", "unipc", "heun", "euler", "ancestral", "sdedpmsolver"),
)
_FIRST = (("ddim", 10), ("gddim(order=2)", 10))
# Pixels of a picture's side, of the one to paint on, and how much of a pixel must be painted.
_SHOWN, _CANVAS, _PAINTED = 384, 320, 0.25
_FILLS = 9
_RED = "rgb(220, 60, 60)"

CSS = """
.gradio-container { max-width: 1240px !important; margin: 0 auto; }
.picture img { image-rendering: pixelated; }
.caption { min-height: 3.2em; }
footer { display: none !important; }
"""


def page(studio: Studio, title: str) -> gr.Blocks:
    """The page of a model, not launched yet.

    Args:
      studio: what draws.
      title: of the model.
    """
    with gr.Blocks(title=title, analytics_enabled=False) as blocks:
        gr.Markdown(f"# {title}\n{_about(studio)}")
        with gr.Tab("Compare samplers"):
            _compare(studio)
        with gr.Tab("Fill in"):
            _fill_in(studio)
    return blocks.queue(default_concurrency_limit=1, max_size=32, api_open=False)


def _about(studio: Studio) -> str:
    model = studio.model
    height, width, channels = model.image_shape
    kind = "colour" if channels == 3 else "grey"
    classes = f", {model.num_classes} classes" if model.num_classes else ""
    return f"{type(model.sde).__name__}, {height} x {width} {kind} images{classes}."


def _compare(studio: Studio) -> None:
    """Two samplers from the same noise, and the long run."""
    with gr.Row():
        seed, label, guidance = _conditions(studio)
        count = gr.Slider(1, studio.most_images, _some(studio), step=1, label="Images")
        draw = gr.Button("Draw", variant="primary", elem_id="draw", min_width=120)
    sides = []
    with gr.Row():
        for name, (sampler, nfe) in zip("AB", _FIRST, strict=True):
            with gr.Column(min_width=260):
                method = gr.Dropdown(
                    list(_OFFERED), value=sampler, label=f"Sampler {name}", allow_custom_value=True
                )
                budget = gr.Slider(1, MOST_NFE, nfe, step=1, label="Network evaluations")
                sides.append((method, budget, *_frame(f"side-{name.lower()}")))
        with gr.Column(min_width=260):
            gr.Dropdown(["default"], value="default", label="The long run", interactive=False)
            gr.Slider(1, FINE, FINE, label="Network evaluations", interactive=False)
            fine, about = _frame("long-run")
    conditions = [seed, count, label, guidance]

    def run(*values: Any) -> list[Any]:
        wish, shown = _wish(*values[:4]), []
        for method, budget in (values[4:6], values[6:8]):
            drawn = studio.draw(method, budget, wish)
            shown += [_picture(drawn.images), _caption(drawn)]
        told = "From the same noise; the errors are the distances to these images."
        return [*shown, _picture(studio.long_run(wish)), told]

    inputs = [*conditions, *(part for side in sides for part in side[:2])]
    outputs = [*(part for side in sides for part in side[2:]), fine, about]
    gr.on([draw.click, seed.submit], _explained(run), inputs, outputs, concurrency_id="model")


def _fill_in(studio: Studio) -> None:
    """An image of the model, a brush, and what else might have been below it."""
    height, width, _ = studio.model.image_shape
    scale = max(1, _CANVAS // max(height, width))
    with gr.Row():
        seed, label, guidance = _conditions(studio, one=True)
        nfe = gr.Slider(1, MOST_NFE, 20, step=1, label="Network evaluations")
    with gr.Row():
        with gr.Column(min_width=340):
            canvas = gr.ImageEditor(
                label="Paint over what shall be drawn anew",
                sources=(),
                transforms=(),
                layers=False,
                brush=gr.Brush(default_size=max(8, scale), colors=[_RED], color_mode="fixed"),
                canvas_size=(width * scale, height * scale),
                image_mode="RGBA",
                type="numpy",
                buttons=[],
                elem_id="canvas",
            )
            with gr.Row():
                new = gr.Button("Another image", elem_id="another")
                fill = gr.Button("Fill in", variant="primary", elem_id="fill")
        with gr.Column(min_width=340):
            filled, told = _frame("filled")
    image = gr.State()

    def another(seed: int, label: str, guidance: float) -> tuple[np.ndarray, np.ndarray]:
        wish = _wish(seed, 1, label, guidance)
        drawn = np.clip(studio.long_run(wish)[0], -1, 1)
        return drawn, grid(drawn[None], scale=scale)

    def paint(image: Any, editor: dict, seed: int, label: str, guidance: float, nfe: int) -> Any:
        if image is None:
            raise ValueError("there must be an image to paint on: press Another image")
        unknown = _unknown(editor, (height, width))
        images = studio.fill(image, unknown, nfe, _wish(seed, _fills(studio), label, guidance))
        share = f"{unknown.mean():.0%} of the image is drawn anew, {len(images)} times."
        return _picture(images), share

    conditions = [seed, label, guidance]
    options = {"concurrency_id": "model"}
    new.click(_explained(another), conditions, [image, canvas], **options)
    fill.click(_explained(paint), [image, canvas, *conditions, nfe], [filled, told], **options)


# ---- parts ------------------------------------------------------------------------------------


def _conditions(studio: Studio, one: bool = False) -> tuple[Any, Any, Any]:
    """Seed, class and guidance; the last two are hidden for a model without classes."""
    seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1, min_width=90)
    labels = [name for name in studio.labels if not (one and name == IN_TURN)]
    label = gr.Dropdown(
        labels or [IN_TURN],
        value=labels[0] if labels else IN_TURN,
        label="Class",
        visible=bool(labels),
        min_width=120,
    )
    guidance = gr.Slider(
        0, MOST_GUIDANCE, 1, step=0.1, label="Guidance", visible=bool(labels), min_width=160
    )
    return seed, label, guidance


def _frame(name: str) -> tuple[Any, Any]:
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


def _wish(seed: int, count: int, label: str, guidance: float) -> Wish:
    return Wish(seed, int(count), label, float(guidance))


def _some(studio: Studio) -> int:
    """As many images as fill a picture, and of each class one where that is about as many."""
    most = min(studio.most_images, 16)
    classes = studio.model.num_classes
    return classes if most / 2 <= classes <= most else most


def _fills(studio: Studio) -> int:
    return min(_FILLS, studio.most_images)


def _picture(images: np.ndarray) -> np.ndarray:
    """A grid, enlarged to about the size at which it is shown."""
    root = math.ceil(math.sqrt(len(images)))
    full = (columns for columns in range(root, 2 * root) if len(images) % columns == 0)
    columns = next(full, root)
    return grid(images, columns, max(1, _SHOWN // (columns * images.shape[2])))


def _caption(drawn: Drawn) -> str:
    took = f"{drawn.nfe} evaluations in {drawn.seconds:.2g} s."
    if drawn.error is None:
        return f"It draws further noise, so there is nothing to compare. {took}"
    return f"**Error {drawn.error:.3g}** from the long run (RMS, pixels from -1 to 1). {took}"


def _unknown(editor: dict, shape: tuple[int, int]) -> np.ndarray:
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


def _explained(function: Callable) -> Callable:
    """What a user can get wrong as a message on the page."""

    @functools.wraps(function)
    def call(*values: Any) -> Any:
        try:
            return function(*values)
        except (ValueError, TypeError, ArithmeticError) as error:
            gr.Warning(" ".join(str(error).split()), title="Not drawn")
            return gr.skip()  # what was drawn before stays

    return call
