"""What a set of features tells apart: blur, noise and lost modes, each in three degrees.

    python benchmarks/feature_orders.py --data photo_patches --features random
    python benchmarks/feature_orders.py --data idx:FOLDER --features random

The reference is one half of the real images, and the other half is damaged. A line is right if the
Frechet distance grows from the images as they are to the most damaged ones.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from scipy.ndimage import gaussian_filter

from gddim_tf import data
from gddim_tf.cli.program import explained
from gddim_tf.evaluation import frechet_distance
from gddim_tf.evaluation.extraction import extract
from gddim_tf.evaluation.features import feature_extractor
from gddim_tf.evaluation.reference import quietly


def main() -> None:
    """Print a line for each damage."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--data", default="photo_patches", help="with classes")
    parser.add_argument("--split", default="train")
    parser.add_argument("--features", default="random", help="as in gddim-tf evaluate, or pixels")
    parser.add_argument("--count", type=int, default=2000, help="images of each half")
    options = parser.parse_args()
    batch = data.load(
        options.data, options.split, 2 * options.count, labels=True, shuffle=True, flip=False
    )
    images, labels = next(iter(batch))
    images, labels = data.to_uint8(images).numpy(), labels.numpy()
    real, kept, classes = images[::2], images[1::2], labels[1::2]
    extractor = _pixels if options.features == "pixels" else feature_extractor(options.features)
    reference = extract(extractor, real, progress=False)
    for name, degrees in damages(kept, classes).items():
        distances = [
            quietly(frechet_distance, reference, extract(extractor, damaged, progress=False))
            for damaged in (kept, *degrees)
        ]
        told = "right" if np.all(np.diff(distances) > 0) else "wrong"
        print(f"{name:12}", *(f"{distance:10.4g}" for distance in distances), told)


def damages(images: np.ndarray, labels: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Images of each kind of damage, from little to much."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(images.shape)
    # the more modes are lost, the fewer images there are, so they are repeated
    classes = labels.max() + 1
    lost = [images[labels < classes * share] for share in (0.9, 0.7, 0.5)]
    near = np.argsort(images.mean(axis=(1, 2, 3)), kind="stable")
    fewer = [images[near[: int(len(near) * share)]] for share in (0.9, 0.7, 0.5)]
    several = {"lost classes": [np.resize(some, images.shape) for some in lost]}
    return {
        "blur": [
            gaussian_filter(images.astype(float), (0, sigma, sigma, 0)).round().astype(np.uint8)
            for sigma in (0.4, 0.8, 1.6)
        ],
        "noise": [
            np.clip(images + sigma * noise, 0, 255).round().astype(np.uint8)
            for sigma in (4, 12, 36)
        ],
        "lost bright": [np.resize(some, images.shape) for some in fewer],
        **(several if classes >= 10 else {}),
    }


def _pixels(images: np.ndarray) -> np.ndarray:
    """The means of 8 x 8 cells: what is left without any filter."""
    import tensorflow as tf

    cells = tf.image.resize(tf.cast(images, tf.float32) / 127.5 - 1, (8, 8), "area")
    return tf.reshape(cells, [len(images), -1]).numpy()


if __name__ == "__main__":
    sys.exit(explained("benchmarks/feature_orders.py", main))
