"""How the page looks, in Gradio."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from gddim_tf.app.parts import (
    LAST_SEED,
    caption,
    conditions,
    explained,
    frame,
    picture,
    unknown_pixels,
    wish_of,
)
from gddim_tf.app.studio import FINE, MOST_NFE, Studio
from gddim_tf.checks import whole
from gddim_tf.data.pictures import grid

# What the lists of samplers offer; any other may be typed.
_OFFERED = (
    *("default", "ddim", "ddim(eta=1)", "gddim(order=2)", "gddim(order=3)", "deis(order=3)"),
    *("ipndm", "dpmsolver(order=2)", "unipc", "heun", "euler", "ancestral", "sdedpmsolver"),
)
_FIRST = (("ddim", 10), ("gddim(order=2)", 10))
# Pixels of the side of what is painted on.
_CANVAS = 320
_FILLS = 9
_RED = "rgb(220, 60, 60)"

_COMPARING = """Each image begins as noise, and the model takes the noise away in steps. A *sampler*
says how; each of its *network evaluations* asks the model once, so more of them take longer and
come nearer to what the model means. Choose two samplers and their evaluations and press **Draw**:
both start from the same noise, and below each picture stands how far it is from that of the long
run, on the right. The first draw takes some seconds longer than the next."""
_FILLING = """Paint over a part of the image with the brush and press **Fill in**: the model draws
that part anew, in several ways that go with the rest."""
_FILLING_CLASSES = " Choose another class before filling in, and it tries to make one of that."

CSS = """
.gradio-container { max-width: 1240px !important; width: 100%; margin: 0 auto; }
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
        with gr.Tab("Fill in") as filling:
            _fill_in(studio, filling)
    return blocks.queue(default_concurrency_limit=1, max_size=32, api_open=False)


def _about(studio: Studio) -> str:
    model = studio.model
    height, width, channels = model.image_shape
    kind = "colour" if channels == 3 else "grey"
    classes = f" of {model.num_classes} classes" if model.num_classes else ""
    return (
        f"A diffusion model ({type(model.sde).__name__}) that draws {height} x {width} {kind} "
        f"images{classes}. It runs on this machine, and nothing leaves it."
    )


def _compare(studio: Studio) -> None:
    """Two samplers from the same noise, and the long run."""
    gr.Markdown(_COMPARING)
    with gr.Row():
        seed, label, guidance = conditions(studio)
        count = gr.Slider(
            1, studio.most_images, _some(studio), step=1, label="Images", info="at once"
        )
        draw = gr.Button("Draw", variant="primary", elem_id="draw", min_width=120)
    sides = []
    with gr.Row():
        for name, (sampler, nfe) in zip("AB", _FIRST, strict=True):
            with gr.Column(min_width=260):
                method = gr.Dropdown(
                    list(_OFFERED), value=sampler, label=f"Sampler {name}", allow_custom_value=True
                )
                budget = gr.Slider(1, MOST_NFE, nfe, step=1, label="Network evaluations")
                sides.append((method, budget, *frame(f"side-{name.lower()}")))
        with gr.Column(min_width=260):
            gr.Dropdown(["default"], value="default", label="The long run", interactive=False)
            gr.Slider(1, FINE, FINE, label="Network evaluations", interactive=False)
            fine, about = frame("long-run")
    asked = [seed, count, label, guidance]

    def run(*values: Any) -> list[Any]:
        wish, shown = wish_of(*values[:4]), []
        for method, budget in (values[4:6], values[6:8]):
            drawn = studio.draw(method, budget, wish)
            shown += [picture(drawn.images), caption(drawn)]
        told = "From the same noise; the errors are the distances to these images."
        return [*shown, picture(studio.long_run(wish)), told]

    inputs = [*asked, *(part for side in sides for part in side[:2])]
    outputs = [*(part for side in sides for part in side[2:]), fine, about]
    gr.on([draw.click, seed.submit], explained(run), inputs, outputs, concurrency_id="model")


def _fill_in(studio: Studio, tab: gr.Tab) -> None:
    """An image of the model, a brush, and what else might have been below it."""
    height, width, _ = studio.model.image_shape
    scale = max(1, _CANVAS // max(height, width))
    gr.Markdown(_FILLING + (_FILLING_CLASSES if studio.labels else ""))
    with gr.Row():
        seed, label, guidance = conditions(studio, one=True)
        nfe = gr.Slider(1, MOST_NFE, 20, step=1, label="Network evaluations", info="of each image")
    with gr.Row():
        with gr.Column(min_width=340):
            canvas = gr.ImageEditor(
                show_label=False,
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
            filled, told = frame("filled")
    image = gr.State()

    def fresh(seed: int, label: str, guidance: float) -> tuple[np.ndarray, np.ndarray]:
        drawn = np.clip(studio.long_run(wish_of(seed, 1, label, guidance))[0], -1, 1)
        return drawn, grid(drawn[None], scale=scale)

    def first(image: Any, *wish: Any) -> Any:
        return fresh(*wish) if image is None else gr.skip()

    def another(seed: int, *wish: Any) -> tuple[Any, ...]:
        seed = (whole("seed", seed, 0) + 1) % LAST_SEED
        return seed, *fresh(seed, *wish)

    def paint(image: Any, editor: dict, seed: int, label: str, guidance: float, nfe: int) -> Any:
        if image is None:
            raise ValueError("there must be an image to paint on, press Another image")
        unknown = unknown_pixels(editor, (height, width))
        images = studio.fill(image, unknown, nfe, wish_of(seed, _fills(studio), label, guidance))
        told = f"{unknown.mean():.0%} of the image is drawn anew, {len(images)} times"
        return picture(images), f"{told}, each from other noise. The rest stays as it is."

    asked = [seed, label, guidance]
    options = {"concurrency_id": "model"}
    tab.select(explained(first), [image, *asked], [image, canvas], **options)
    seed.submit(explained(fresh), asked, [image, canvas], **options)
    new.click(explained(another), asked, [seed, image, canvas], **options)
    fill.click(explained(paint), [image, canvas, *asked, nfe], [filled, told], **options)


def _some(studio: Studio) -> int:
    """As many images as fill a picture, and of each class one where that is about as many."""
    most = min(studio.most_images, 16)
    classes = studio.model.num_classes
    return classes if most / 2 <= classes <= most else most


def _fills(studio: Studio) -> int:
    return min(_FILLS, studio.most_images)
