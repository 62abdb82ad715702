"""The same network on the same clothes in diffusers and here, trained for equally many minutes.

    python benchmarks/side_by_side.py prepare --data idx:/usr/share/datasets/fashion-mnist
    python benchmarks/side_by_side.py ours --minutes 30
    python benchmarks/side_by_side.py measure            # after side_by_side_diffusers.py
    python benchmarks/side_by_side.py grids              # what the times of the steps do alone

Between the last two, `side_by_side_diffusers.py` trains and draws in an environment with torch and
diffusers. Both take the U-Net of `ddpm_fashion` on patches of 2 x 2 pixels, batches of 128, Adam,
the same learning rates and average, predict v on the linear schedule, and draw as many images of
each class by their own DDIM and their best sampler. Nothing is shared but the folder `--out`.
The samplers of the two sides have different times, too: `grids` draws with both from one network.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
import time

import keras
import numpy as np

import gddim_tf as gd
from gddim_tf import checks, data, evaluation, samplers
from gddim_tf.cli.program import explained
from gddim_tf.data.pixels import as_uint8
from gddim_tf.data.split import Split
from gddim_tf.evaluation.distances import label_agreement
from gddim_tf.outputs import Output, parsed
from gddim_tf.training import named_recipe

# Far more steps than half an hour holds; the learning rate does not fall in either training.
RECIPE = {"decay": False, "learning_rate": 1e-3, "ema": 0.999}
BATCH = 128
# What both networks are made for, and the classifier that measures.
SHAPE, CLASSES = (28, 28, 1), 10
# Precision and recall look at three neighbours of each image.
FEWEST = 4


class StopAfter(keras.callbacks.Callback):
    """End a training after so many minutes, the first step (which is traced) not counted."""

    def __init__(self, minutes: float) -> None:
        super().__init__()
        self.seconds, self.began, self.steps = 60 * minutes, 0.0, 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Look at the clock."""
        self.steps += 1
        if self.steps == 1:
            self.began = time.perf_counter()
        self.model.stop_training = time.perf_counter() - self.began > self.seconds


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("part", choices=("prepare", "ours", "measure", "grids"))
    parser.add_argument("--data", default="fashion_mnist", help="or idx:FOLDER")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/side_by_side"))
    parser.add_argument("--minutes", type=float, default=30, help="of training")
    parser.add_argument("--count", type=int, default=5000, help="images per sampler")
    parser.add_argument("--nfe", type=int, default=20, help="evaluations per image")
    parser.add_argument("--precision", default="float32", help="or mixed_bfloat16")
    parser.add_argument("--model", default="saved_models/fashion_vp", help="of grids")
    options = parsed(parser, {"--out": Output.FOLDER})
    checks.real("--minutes", options.minutes, 0, above=True)
    checks.whole("--count", options.count, FEWEST)
    checks.whole("--nfe", options.nfe, 1)
    given = data.info(options.data)
    shape = (given.image_size, given.image_size, given.channels)
    _check_clothes("--data", options.data, shape, given.num_classes)
    options.out.mkdir(parents=True, exist_ok=True)
    parts = {"prepare": prepare, "ours": ours, "measure": measure, "grids": grids}
    parts[options.part](options)


def _check_clothes(option: str, received: str, shape: tuple[int, ...], classes: int) -> None:
    """Refuse data and models that are not of ten classes of grey images of 28 x 28 pixels."""
    if (tuple(shape), classes) != (SHAPE, CLASSES):
        wanted, found = (" x ".join(map(str, sizes)) for sizes in (SHAPE, shape))
        raise ValueError(
            f"`{option}` must have images of {wanted} and {CLASSES} classes, received {received} "
            f"of {found} and {classes}"
        )


def prepare(options: argparse.Namespace) -> None:
    """Write the training images for the other side."""
    images, labels = Split(options.data, "train").labelled()
    np.savez(options.out / "train.npz", images=images, labels=labels)


def ours(options: argparse.Namespace) -> None:
    """Train and draw with this package."""
    recipe = dataclasses.replace(
        named_recipe("fashion_vp"), dataset=options.data, precision=options.precision, **RECIPE
    )
    model, clock = recipe.model(), StopAfter(options.minutes)
    batches = data.load(options.data, "train", BATCH, labels=True, repeat=True)
    # `SwapEMAWeights` leaves the average in the model
    callbacks = [clock, keras.callbacks.SwapEMAWeights()]
    model.fit(batches, steps_per_epoch=10**6, epochs=1, callbacks=callbacks, verbose=0)
    labels = np.arange(options.count) % CLASSES
    best = samplers.default(model.sde, options.nfe)
    for name, sampler in (("DDIM", samplers.DDIM()), (f"default, {best}", best)):
        began = time.perf_counter()
        images = model.sample(options.count, sampler, options.nfe, labels=labels, batch_size=250)
        seconds = time.perf_counter() - began
        write(options.out, "gddim_tf", name, as_uint8(images), clock.steps, seconds)


def write(
    out: pathlib.Path, side: str, sampler: str, images: np.ndarray, steps: int, seconds: float
) -> None:
    """Keep the images of one sampler; image i is of class i mod 10."""
    number = max((_number(path) for path in drawn_by(side, out)), default=-1) + 1
    told = json.dumps({"side": side, "sampler": sampler, "steps": steps, "seconds": seconds})
    np.savez_compressed(out / f"{side}-{number}.npz", images=images, told=told)


def drawn_by(side: str, out: pathlib.Path) -> list[pathlib.Path]:
    """The files of a side, or with "*" of both, in the order in which they were drawn."""
    found = [path for path in out.glob(f"{side}-*.npz") if _side(path)[1].isdecimal()]
    return sorted(found, key=lambda path: (_side(path)[0], _number(path)))


def _side(path: pathlib.Path) -> tuple[str, str]:
    side, _, number = path.stem.rpartition("-")
    return side, number


def _number(path: pathlib.Path) -> int:
    return int(_side(path)[1])


def measure(options: argparse.Namespace) -> None:
    """Print a table of all images that both sides have drawn."""
    files = drawn_by("*", options.out)
    if not files:
        raise FileNotFoundError(f"{options.out} holds no images: `ours` draws some")
    extractor = evaluation.FashionFeatures()
    real = evaluation.extract(extractor, data.load(options.data, "test", 500), progress=False)
    print("| package | sampler | steps | Frechet | precision | recall | label seen | drawing |")
    print("|---|---|---|---|---|---|---|---|")
    for path in files:
        with np.load(path) as kept:
            images, told = kept["images"], json.loads(str(kept["told"]))
        places = measured(extractor, real, images, told["seconds"])
        print(f"| {told['side']} | {told['sampler']} | {told['steps']} | {places}", flush=True)


def grids(options: argparse.Namespace) -> None:
    """Print a table of one network's images by the samplers of both sides, each on both grids."""
    model, extractor = gd.load(options.model), evaluation.FashionFeatures()
    _check_clothes("--model", options.model, model.image_shape, model.num_classes)
    real = evaluation.extract(extractor, data.load(options.data, "test", 500), progress=False)
    labels, best = np.arange(options.count) % CLASSES, samplers.default(model.sde, options.nfe)
    equal = samplers.PowerGrid(1.0)
    print("| sampler | Frechet | precision | recall | label seen | drawing |")
    print("|---|---|---|---|---|---|")
    for sampler in (samplers.DDIM(), best):
        for drawn in (sampler, dataclasses.replace(sampler, grid=equal)):
            began = time.perf_counter()
            images = model.sample(options.count, drawn, options.nfe, labels=labels, batch_size=250)
            places = measured(extractor, real, as_uint8(images), time.perf_counter() - began)
            print(f"| {drawn} | {places}", flush=True)


def measured(
    extractor: evaluation.FeatureExtractor, real: np.ndarray, images: np.ndarray, seconds: float
) -> str:
    """The places of a table that images have in common."""
    fake = evaluation.extract(extractor, images, progress=False)
    coverage = evaluation.precision_recall(real, fake)
    logits = evaluation.extract(extractor.logits, images, progress=False)
    seen = label_agreement(logits, np.arange(len(images)) % CLASSES, CLASSES)
    return (
        f"{evaluation.frechet_distance(real, fake):.2f} | {coverage.precision:.2f} | "
        f"{coverage.recall:.2f} | {seen:.1%} | {seconds:.0f} s |"
    )


if __name__ == "__main__":
    sys.exit(explained("benchmarks/side_by_side.py", main))
