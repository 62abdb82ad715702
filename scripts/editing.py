"""Pictures and numbers of docs/editing.md, from the shipped models of digits.

Run: `python scripts/editing.py --out docs`; some minutes on two cores. What is measured is added to
`editing.json`, a section for each part and model.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import gddim_tf as gd
from gddim_tf import samplers
from gddim_tf.atomic import atomic_write
from gddim_tf.cli.program import explained
from gddim_tf.data.pictures import grid
from gddim_tf.data.pixels import as_uint8
from gddim_tf.evaluation.extraction import extract
from gddim_tf.evaluation.features import DigitsFeatures
from gddim_tf.models import edit_plans
from gddim_tf.models.batches import collected, in_batches
from gddim_tf.outputs import Output, parsed

Rows = dict[str, np.ndarray]

KINDS = ("vp", "cld", "bdm")
NAMES = {"vp": "VP", "cld": "CLD", "bdm": "blur"}
ROOT = pathlib.Path(__file__).parents[1]
UPPER = np.arange(8)[:, None] < np.full(8, 4)
SHOWN, NFE = 10, 20
CLIPS = {"weight 12": None, "12, static": 1.0, "12, dynamic": samplers.DynamicThreshold()}
# Pixels of what stands to the left of a row, and of its letters.
_MARGIN, _FONT = 150, 13


class Digits:
    """Test digits, what they are, and where pictures and numbers go.

    Args:
      out: the folder.
      count: how many digits to measure with.
      kinds: of the models.
    """

    def __init__(self, out: pathlib.Path, count: int, kinds: Sequence[str]) -> None:
        self.out, self._extractor = out, DigitsFeatures()
        pairs = gd.data.load("digits", split="test", batch_size=count, labels=True, shuffle=False)
        images, labels = next(iter(pairs))
        self.images, self.labels = np.asarray(images), np.asarray(labels)
        self.models = {kind: gd.load(ROOT / "saved_models" / f"digits_{kind}") for kind in kinds}

    def seen(self, images: np.ndarray) -> np.ndarray:
        """The classes that the classifier of digits sees."""
        logits = extract(self._extractor.logits, as_uint8(images), progress=False)
        return np.argmax(logits, axis=1)

    def same_class(self, images: np.ndarray) -> float:
        """How many of them are seen as what the test digits are seen as, a share."""
        return float(np.mean(self.seen(images) == self.seen(self.images)))

    def one_of_each(self, images: np.ndarray | None = None) -> np.ndarray:
        """A digit of each class."""
        images = self.images if images is None else images
        return np.stack([images[np.flatnonzero(self.labels == d)[0]] for d in range(SHOWN)])

    def tell(self, part: str, kind: str, numbers: dict[str, Any]) -> None:
        """Print the numbers of a part and model, and keep them."""
        print(part, kind, numbers, flush=True)
        file = self.out / "editing.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        known.setdefault(part, {})[kind] = numbers
        with atomic_write(file) as draft:
            draft.write_text(json.dumps(known, indent=2) + "\n")

    def show(self, part: str, rows: Rows) -> None:
        """Save rows of images below each other, each beside its name."""
        strips = [grid(images, len(images)) for images in rows.values()]
        height = sum(len(strip) + 2 for strip in strips) - 2
        picture = Image.new("RGB", (_MARGIN + strips[0].shape[1], height), "white")
        pen, font, top = ImageDraw.Draw(picture), ImageFont.load_default(_FONT), 0
        for name, strip in zip(rows, strips, strict=True):
            middle = top + len(strip) // 2
            pen.text((_MARGIN - 8, middle), name, fill="black", font=font, anchor="rm")
            picture.paste(Image.fromarray(strip), (_MARGIN, top))
            top += len(strip) + 2
        with atomic_write(self.out / f"editing_{part}.png") as draft:
            picture.save(draft)


def inpainting(digits: Digits) -> None:
    """Lower halves, with the class told and without, and how often the class comes out."""
    real, images = digits.one_of_each(), digits.images
    rows = {"test digits": real, "known": np.where(UPPER[..., None], real, 0.0)}
    for kind, model in digits.models.items():
        for told, labels in (("told", digits.labels), ("not told", None)):
            filled = model.inpaint(images, UPPER, nfe=NFE, labels=labels)
            numbers = {
                "images": len(images),
                "nfe": NFE,
                "known_pixels": float(np.abs(filled - images)[:, UPPER].max()),
                "same_class": digits.same_class(filled),
            }
            digits.tell("inpainting", f"{kind}, class {told}", numbers)
            rows[f"{NAMES[kind]}, class {told}"] = digits.one_of_each(filled)
    digits.show("inpainting", rows)


def methods(digits: Digits) -> None:
    """Lower halves by other samplers: how far the known pixels are off before they are put in."""
    for kind, model in digits.models.items():
        order_1, default = samplers.low_order, samplers.default
        for name, sampler, nfe in (
            ("low_order", order_1(model.sde, NFE), NFE),
            ("default", default(model.sde, NFE), NFE),
            ("low_order", order_1(model.sde, 50), 50),
            ("default", default(model.sde, 50), 50),
            ("gddim(order=4)", samplers.GDDIM(order=4), 50),
            ("repaint", samplers.RePaint(), 28),
            ("repaint", samplers.RePaint(), 58),
        ):
            for told, labels in (("told", digits.labels), ("not told", None)):
                plan = edit_plans.inpainting_plan(
                    model, digits.images, UPPER, sampler, nfe, labels, None
                )
                plan = plan._replace(finish=lambda state, _, sde=model.sde: sde.to_images(state))
                drawn = collected(in_batches(plan, seed=0), plan.count, False)
                off = np.abs(drawn - digits.images)[:, UPPER]
                numbers = {
                    "images": len(drawn),
                    "known_pixels_before_the_end": float(off.max()),
                    "same_class": digits.same_class(
                        np.where(UPPER[..., None], digits.images, drawn)
                    ),
                }
                digits.tell("methods", f"{kind}, {name}, {nfe}, class {told}", numbers)


def repaint(digits: Digits) -> None:
    """Lower halves, drawn once and by going back and forth in the noise."""
    real, labels = digits.one_of_each(), np.arange(SHOWN)
    rows = {"known": np.where(UPPER[..., None], real, 0.0)}
    for kind, model in digits.models.items():
        for name, sampler, nfe in (("once", None, 50), ("RePaint", samplers.RePaint(), 58)):
            for told, classes in ((", told", labels), ("", None)):
                filled = model.inpaint(real, UPPER, sampler, nfe, labels=classes)
                rows[f"{NAMES[kind]}, {name}{told}"] = filled
    digits.show("repaint", rows)


def edits(digits: Digits) -> None:
    """Digits at several strengths, told the next class."""
    real = digits.one_of_each()
    rows, wanted = {"test digits": real}, (np.arange(SHOWN) + 1) % SHOWN
    for kind, model in digits.models.items():
        for strength in (0.3, 0.5, 0.7):
            edited = model.edit(real, strength, nfe=NFE, labels=wanted)
            rows[f"{NAMES[kind]}, strength {strength}"] = edited
    digits.show("edits", rows)


def restoration(digits: Digits) -> None:
    """Digits from half as many pixels a side, and from a blur with noise, by both methods."""
    small, blur, real = gd.operators.Downsample(2), gd.operators.Blur(1.0), digits.images
    noise = np.random.default_rng(0).normal(0, 0.1, real.shape).astype(np.float32)
    tiles = small.apply(tf.constant(real)).numpy()
    blurred = blur.apply(tf.constant(real)).numpy() + noise
    rows = {
        "test digits": digits.one_of_each(),
        "a quarter of the pixels": digits.one_of_each(tiles.repeat(2, 1).repeat(2, 2)),
        "blur and noise": digits.one_of_each(blurred),
    }
    plain = np.sqrt(np.mean((blurred - real) ** 2))
    digits.tell("restoration", "nothing done to the blur", {"rms": float(plain)})
    for kind, model in digits.models.items():
        for problem, measured, operator, noise_std in (
            ("pixels", tiles, small, 0.0),
            ("blur", blurred, blur, 0.1),
        ):
            for method in ("ddnm", "pigdm"):
                options = {"data_std": 0.6, "nfe": NFE, "labels": digits.labels}
                restored = model.restore(measured, operator, noise_std, method, **options)
                numbers = {
                    "rms": float(np.sqrt(np.mean((restored - real) ** 2))),
                    "same_class": digits.same_class(restored),
                }
                digits.tell("restoration", f"{kind}, {problem}, {method}", numbers)
                name = {"ddnm": "DDNM", "pigdm": "PiGDM"}[method]
                rows[f"{NAMES[kind]}, {problem}, {name}"] = digits.one_of_each(restored)
    digits.show("restoration", rows)


def interpolation(digits: Digits) -> None:
    """Ways from one digit to another."""
    real, rows = digits.one_of_each(), {}
    for kind, model in digits.models.items():
        frames = model.interpolate(real[[3, 0]], real[[8, 6]], SHOWN, nfe=50)
        rows |= {f"{NAMES[kind]}, 3 to 8": frames[:, 0], f"{NAMES[kind]}, 0 to 6": frames[:, 1]}
    digits.show("interpolation", rows)


def guidance(digits: Digits) -> None:
    """Without guidance, everywhere, in an interval; and too much of it, clipped and not."""
    interval = gd.guidance.Guidance(4.0, gd.guidance.Interval(0.3, 3.0))
    labels, rows, drawn = np.arange(10 * SHOWN) % SHOWN, {}, {}
    for kind, model in digits.models.items():
        for name, weight in (("no guidance", None), ("weight 4", 4.0), ("4, interval", interval)):
            drawn[kind, name] = model.sample(
                len(labels), nfe=NFE, labels=labels, guidance=weight, seed=1
            )
        if kind == "bdm":  # whose states are no pixels
            continue
        for name, clip in CLIPS.items():
            drawn[kind, name] = model.sample(
                len(labels), samplers.DPMSolver(clip=clip), NFE, 1, labels, guidance=12.0
            )
    for (kind, name), images in drawn.items():
        rows[f"{NAMES[kind]}, {name}"] = images[:SHOWN]
        numbers = {
            "same_class": float(np.mean(digits.seen(images) == labels)),
            "beyond_1": float(np.mean(np.abs(images) > 1.05)),
            "deviation": float(images.std()),
        }
        digits.tell("guidance", f"{kind}, {name}", numbers)
    digits.show("guidance", rows)


PARTS: dict[str, Callable[[Digits], None]] = {
    "inpainting": inpainting,
    "methods": methods,
    "repaint": repaint,
    "edits": edits,
    "restoration": restoration,
    "interpolation": interpolation,
    "guidance": guidance,
}


def main() -> None:
    """Make the parts that are named, all by default."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs")
    parser.add_argument("--kinds", default=",".join(KINDS), help="models, separated by commas")
    parser.add_argument("--count", type=int, default=297, help="test digits to measure with")
    options = parsed(parser, {"--out": Output.FOLDER})
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"PART must be one of {', '.join(PARTS)}, received {', '.join(unknown)}")
    digits = Digits(options.out, options.count, options.kinds.split(","))
    for part in options.parts or PARTS:
        PARTS[part](digits)


if __name__ == "__main__":
    sys.exit(explained("scripts/editing.py", main))
