"""Train the classifier of digits or of clothes and write it to the file that the package holds.

    python scripts/train_classifier.py digits [PATH]
    python scripts/train_classifier.py fashion [--data idx:FOLDER] [PATH]

A quarter of a minute on two cores for digits. Some twenty minutes on one for clothes, of which it
then names 93.07 % of the test images rightly. Distances in the features are comparable only
between machines that have the same file.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import sys
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.atomic import atomic_write
from gddim_tf.cli.program import explained
from gddim_tf.data.pixels import from_uint8
from gddim_tf.data.split import Split
from gddim_tf.evaluation.classifiers import (
    CLASSES,
    FEATURE_LAYER,
    IMAGE_SHAPES,
    accuracy,
    packaged,
)
from gddim_tf.outputs import Output, check_outputs

BATCH, FEATURES, LEARNING_RATE = 128, 64, 2e-3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it is trained.

    Attributes:
      data: a name that `data.load` knows.
      epochs: passes over the training images.
      widths: filters of the convolutions between two halvings of the size.
      normalized: whether batch normalization follows each convolution.
      dropout: before and after the features.
      shifted: whether the images are also taken moved by one pixel, in all eight directions.
      mirrored: whether they are mirrored at random.
      keep_rest: whether what is left of a pass begins the first batch of the next.
    """

    data: str
    epochs: int
    widths: tuple[tuple[int, ...], ...]
    normalized: bool
    dropout: float
    shifted: bool
    mirrored: bool
    keep_rest: bool


RECIPES = {
    "digits": Recipe(
        data="digits",
        epochs=15,
        widths=((16, 32), (32,)),
        normalized=False,
        dropout=0.3,
        shifted=True,
        mirrored=False,
        keep_rest=True,
    ),
    "fashion": Recipe(
        data="fashion_mnist",
        epochs=14,
        widths=((24,), (64,), (96, 96)),
        normalized=True,
        dropout=0.2,
        shifted=False,
        mirrored=True,
        keep_rest=False,
    ),
}


def build(kind: str, seed: int = 0) -> keras.Model:
    """The untrained network: convolutions, 64 rectified features, 10 logits; not compiled."""
    recipe = RECIPES[kind]
    layers = keras.layers
    count = sum(map(len, recipe.widths)) + 4
    seeds = iter(np.random.SeedSequence(seed).generate_state(count).tolist())
    x = images = keras.Input(IMAGE_SHAPES[kind], name="images")
    for widths in recipe.widths:
        for width in widths:
            options = {"padding": "same", "use_bias": not recipe.normalized}
            normal = keras.initializers.HeNormal(next(seeds))
            x = layers.Conv2D(width, 3, kernel_initializer=normal, **options)(x)
            if recipe.normalized:
                x = layers.BatchNormalization(momentum=0.98)(x)
            x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(recipe.dropout, seed=next(seeds))(layers.Flatten()(x))
    normal = keras.initializers.HeNormal(next(seeds))
    x = layers.Dense(FEATURES, "relu", kernel_initializer=normal, name=FEATURE_LAYER)(x)
    x = layers.Dropout(recipe.dropout, seed=next(seeds))(x)
    uniform = keras.initializers.GlorotUniform(next(seeds))
    logits = layers.Dense(CLASSES, kernel_initializer=uniform, name="logits")(x)
    return keras.Model(images, logits, name=f"{kind}_classifier")


def train(
    kind: str, data: str | None = None, epochs: int | None = None, seed: int = 0
) -> keras.Model:
    """Train with Adam, whose rate falls to 0 along a cosine, in batches of 128.

    All randomness is drawn from `seed`, and none from Keras' or NumPy's global state.

    Args:
      kind: "digits" or "fashion".
      data: in place of the data set of the recipe, such as `idx:PATH`.
      epochs: in place of those of the recipe.
      seed: of the first weights, the order of the images, their mirroring and the dropout.

    Raises:
      ValueError: if the images are not of the network's size, too few or of more than ten classes.
    """
    recipe, classifier = RECIPES[kind], build(kind, seed)
    pixels, labels = Split(data or recipe.data, "train").labelled()
    check(kind, data or recipe.data, pixels, labels)
    images = from_uint8(pixels).numpy()
    if recipe.shifted:
        images, labels = shifted(images), np.tile(labels, 9)
    order = list(batches(len(images), epochs or recipe.epochs, seed, recipe.keep_rest))

    def read(step: tf.Tensor, chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = tf.gather(images, chosen)
        if recipe.mirrored:
            batch = mirrored(batch, tf.stack([tf.cast(seed, tf.int64), step]))
        return batch, tf.gather(labels, chosen)

    # The optimizer belongs to this twin, so that the classifier is saved without its state.
    trainer = keras.Model(classifier.inputs, classifier.outputs)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, len(order))
    trainer.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    ordered = tf.data.Dataset.from_tensor_slices(np.array(order)).enumerate()
    ordered = ordered.map(read, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)
    trainer.fit(ordered, shuffle=False, verbose=0)
    return classifier


def check(kind: str, data: str, pixels: np.ndarray, labels: np.ndarray) -> None:
    """Refuse images that the network cannot take, or from which it can learn nothing."""
    height, width, channels = IMAGE_SHAPES[kind]
    if pixels.shape[1:] != (height, width, channels):
        raise ValueError(
            f"`--data` must have images of {height} x {width} pixels and {channels} channel, "
            f"received {data} of {' x '.join(map(str, pixels.shape[1:]))}"
        )
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise ValueError(
            f"`--data` must have labels from 0 to {CLASSES - 1}, received {data} of "
            f"{labels.min()} to {labels.max()}"
        )
    if len(pixels) < BATCH:
        raise ValueError(
            f"`--data` must have at least {BATCH} training images, received {data} of {len(pixels)}"
        )


def batches(count: int, epochs: int, seed: int, keep_rest: bool) -> Iterator[np.ndarray]:
    """Numbers of images [128] of every batch."""
    orders = np.random.default_rng(seed)
    passes = [orders.permutation(count) for _ in range(epochs)]
    for order in [np.concatenate(passes)] if keep_rest else passes:
        yield from order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)


def shifted(images: np.ndarray) -> np.ndarray:
    """Move the images by -1, 0 and 1 pixels along both axes, [9 * count, height, width, 1]."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-1.0)
    height, width = images.shape[1:3]
    places = [(top, left) for top in range(3) for left in range(3)]
    return np.concatenate(
        [padded[:, top : top + height, left : left + width] for top, left in places]
    )


def mirrored(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirror each image [batch, height, width, 1] left to right half the time."""
    coins = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed, alg="philox")
    return tf.where(coins < 0.5, images[:, :, ::-1], images)


def write(classifier: keras.Model, path: str | os.PathLike[str]) -> None:
    """Write a classifier, atomically."""
    with atomic_write(path) as draft:
        classifier.save(draft)


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, in any order."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("kind", choices=RECIPES)
    parser.add_argument("--data", help="in place of fashion_mnist: idx:FOLDER")
    parser.add_argument("path", nargs="?", help="the file to write; by default the package's own")
    return parser.parse_intermixed_args(arguments)


def main() -> None:
    """Train, write and print the accuracies."""
    told = options()
    check_outputs(told, {"path": Output.FILE})
    if told.path and pathlib.Path(told.path).suffix != ".keras":  # else Keras refuses it at the end
        raise ValueError(f"`path` must end in .keras, received {told.path}")
    trained = train(told.kind, told.data)
    write(trained, told.path or packaged(told.kind))
    for split in ("train", "test"):
        share = accuracy(trained, told.data or RECIPES[told.kind].data, split)
        print(f"{split} accuracy {share:.4f}")


if __name__ == "__main__":
    sys.exit(explained("scripts/train_classifier.py", main))
