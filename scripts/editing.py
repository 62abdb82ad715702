"""Pictures and numbers of docs/editing.md, from the shipped models of digits.

Run: `python scripts/editing.py --out docs`; some minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from typing import Any

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import gddim_tf as gd
from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation import save_grid
from gddim_tf.evaluation.extraction import extract
from gddim_tf.evaluation.features import feature_extractor
from gddim_tf.evaluation.images import as_uint8
from gddim_tf.outputs import Output, parsed

KINDS = ("vp", "cld", "bdm")
ROOT = pathlib.Path(__file__).parents[1]
UPPER = np.arange(8)[:, None] < np.full(8, 4)
PARTS = ("inpainting", "edits", "restoration", "interpolation", "guidance")
SHOWN, NFE = 10, 20


def main() -> None:
    """Make the parts that are named, all by default."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs")
    parser.add_argument("--kinds", default=",".join(KINDS), help="models, separated by commas")
    parser.add_argument("--count", type=int, default=297, help="test digits to measure with")
    options = parsed(parser, {"--out": Output.FOLDER})
    images, labels = digits(options.count)
    for part in options.parts:
        makers = {
            "inpainting": inpainting,
            "edits": edits,
            "restoration": restoration,
            "interpolation": interpolation,
            "guidance": guidance,
        }
        kinds = options.kinds.split(",")
        rows = makers[part](kinds, images, labels, options.out)
        save_grid(np.concatenate(rows), options.out / f"editing_{part}.png", columns=len(rows[0]))


def digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits of the test split, and what they are."""
    pairs = gd.data.load("digits", split="test", batch_size=count, labels=True, shuffle=False)
    images, labels = next(iter(pairs))
    return np.asarray(images), np.asarray(labels)


def model_of(kind: str) -> Any:
    """The shipped model of a diffusion."""
    return gd.load(ROOT / "saved_models" / f"digits_{kind}")


def one_of_each(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A digit of each class."""
    return np.stack([images[np.flatnonzero(labels == digit)[0]] for digit in range(SHOWN)])


def inpainting(
    kinds: list[str], images: np.ndarray, labels: np.ndarray, out: pathlib.Path
) -> list[np.ndarray]:
    """Lower halves, with the class told and without, and how often the class comes out."""
    file = out / "editing.json"
    numbers = json.loads(file.read_text()) if file.exists() else {}
    extractor = feature_extractor("digits")

    def classes(pictures: np.ndarray) -> np.ndarray:
        return np.argmax(extract(extractor.logits, as_uint8(pictures), progress=False), axis=1)

    originals, shown = classes(images), []
    for kind in kinds:
        model, result = model_of(kind), {"images": len(images), "nfe": NFE}
        for name, told in (("told", labels), ("untold", None)):
            filled = model.inpaint(images, UPPER, nfe=NFE, labels=told)
            difference = np.abs(filled - images)[:, UPPER]
            result[f"known_pixels_{name}"] = float(difference.max())
            result[f"same_class_{name}"] = float(np.mean(classes(filled) == originals))
            shown.append(one_of_each(filled, labels))
        numbers[kind] = result
        print(kind, result, flush=True)
        with atomic_write(file) as draft:
            draft.write_text(json.dumps(numbers, indent=2) + "\n")
    real = one_of_each(images, labels)
    return [real, np.where(UPPER[..., None], real, 0.0), *shown]


def edits(
    kinds: list[str], images: np.ndarray, labels: np.ndarray, out: pathlib.Path
) -> list[np.ndarray]:
    """Digits at several strengths, told the next class."""
    real = one_of_each(images, labels)
    rows, wanted = [real], (np.arange(SHOWN) + 1) % SHOWN
    for kind in kinds:
        model = model_of(kind)
        rows += [model.edit(real, s, nfe=NFE, labels=wanted) for s in (0.3, 0.5, 0.7)]
    return rows


def restoration(
    kinds: list[str], images: np.ndarray, labels: np.ndarray, out: pathlib.Path
) -> list[np.ndarray]:
    """Digits from half as many pixels a side, and from a blur with noise, by both methods."""
    real, rows = one_of_each(images, labels), []
    small, blur = gd.operators.Downsample(2), gd.operators.Blur(1.0)
    noise = np.random.default_rng(0).normal(0, 0.1, real.shape).astype(np.float32)
    tiles, blurred = small.apply(real).numpy(), blur.apply(real).numpy() + noise
    for kind in kinds:
        model = model_of(kind)
        rows += [model.restore(tiles, small, nfe=NFE)]
        rows += [
            model.restore(blurred, blur, 0.1, method, data_std=0.6, nfe=NFE)
            for method in ("ddnm", "pigdm")
        ]
    return [real, tiles.repeat(2, 1).repeat(2, 2), blurred, *rows]


def interpolation(
    kinds: list[str], images: np.ndarray, labels: np.ndarray, out: pathlib.Path
) -> list[np.ndarray]:
    """Ways from one digit to the next."""
    real, rows = one_of_each(images, labels), []
    for kind in kinds:
        model = model_of(kind)
        frames = model.interpolate(real[[3, 0]], real[[8, 6]], SHOWN, nfe=50)
        rows += [frames[:, 0], frames[:, 1]]
    return rows


def guidance(
    kinds: list[str], images: np.ndarray, labels: np.ndarray, out: pathlib.Path
) -> list[np.ndarray]:
    """Without guidance, with it everywhere, and with it in an interval."""
    rows = []
    for kind in kinds:
        model = model_of(kind)
        for weight in (None, 4.0, gd.guidance.Guidance(4.0, gd.guidance.Interval(0.3, 3.0))):
            rows.append(
                model.sample(SHOWN, nfe=NFE, labels=np.arange(SHOWN), guidance=weight, seed=1)
            )
    return rows


if __name__ == "__main__":
    main()
