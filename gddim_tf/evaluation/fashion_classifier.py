"""A small classifier of 28x28 clothes, whose features measure generated clothes.

The trained network comes with the package (`fashion_classifier.keras`, written by
`scripts/train_fashion_classifier.py`), so that distances from different machines can be compared.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from gddim_tf.atomic import atomic_write
from gddim_tf.evaluation.classifier_file import (
    CLASSES,
    FEATURE_LAYER,
    accuracy,
    read_classifier,
    read_split,
)

PACKAGED = Path(__file__).with_suffix(".keras")
_BATCH = 128
_IMAGE_SHAPE = (28, 28, 1)
_WIDTHS = ((24,), (64,), (96, 96))
_FEATURES = 64


def load_fashion_classifier(path: str | os.PathLike[str] | None = None) -> keras.Model:
    """Load the classifier of clothes.

    Args:
        path: a `.keras` file that `write_fashion_classifier` wrote; None is the one in the package.

    Returns:
        The model: float images [batch, 28, 28, 1] in [-1, 1] to logits [batch, 10]; its layer
        "features" gives the 64 features.

    Raises:
        ValueError: if the file is damaged or holds another model.
        FileNotFoundError: if there is no such file.
    """
    path = PACKAGED if path is None else Path(path)
    try:
        return read_classifier(path, "clothes", _IMAGE_SHAPE)
    except (KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"the classifier {path} must be whole, received: {error}") from error


def train_fashion_classifier(
    dataset: str = "fashion_mnist", epochs: int = 8, seed: int = 0
) -> keras.Model:
    """Train the classifier on the training images, mirrored at random.

    Adam, learning rate 2e-3 falling to 0 along a cosine, batches of 128. All randomness is drawn
    from `seed`, and none from Keras' or NumPy's global state.

    Args:
        dataset: `fashion_mnist`, or `idx:PATH` with its files.
        epochs: passes over the training images.
        seed: of the first weights, the order of the images, their mirroring and the dropout.

    Returns:
        The trained model, not compiled.
    """
    classifier = build_fashion_classifier(seed)
    images, labels = read_split(dataset, "train")
    steps = epochs * (len(images) // _BATCH)
    # The optimizer belongs to this twin, so that the classifier is saved without its state.
    trainer = keras.Model(classifier.inputs, classifier.outputs)
    trainer.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    order = tf.data.Dataset.from_generator(
        lambda: _shuffled_batches(len(images), epochs, seed),
        output_signature=tf.TensorSpec([_BATCH], tf.int64),
    )
    batches = order.enumerate().map(
        lambda step, chosen: (
            _mirrored(tf.gather(images, chosen), tf.stack([tf.cast(seed, tf.int64), step])),
            tf.gather(labels, chosen),
        ),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    trainer.fit(batches.prefetch(2), shuffle=False, verbose=0)
    return classifier


def build_fashion_classifier(seed: int = 0) -> keras.Model:
    """Build the untrained network: four convolutions, 64 rectified features, 10 logits.

    Args:
        seed: of the first weights and the dropout.

    Returns:
        The model, 209,410 weights, not compiled.
    """
    seeds = iter(np.random.SeedSequence(seed).generate_state(8).tolist())
    x = images = keras.Input(_IMAGE_SHAPE, name="images")
    for widths in _WIDTHS:
        for width in widths:
            x = keras.layers.Conv2D(
                width,
                3,
                padding="same",
                use_bias=False,
                kernel_initializer=keras.initializers.HeNormal(next(seeds)),
            )(x)
            x = keras.layers.BatchNormalization(momentum=0.98)(x)
            x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.2, seed=next(seeds))(x)
    x = keras.layers.Dense(
        _FEATURES,
        activation="relu",
        kernel_initializer=keras.initializers.HeNormal(next(seeds)),
        name=FEATURE_LAYER,
    )(x)
    x = keras.layers.Dropout(0.2, seed=next(seeds))(x)
    logits = keras.layers.Dense(
        CLASSES, kernel_initializer=keras.initializers.GlorotUniform(next(seeds)), name="logits"
    )(x)
    return keras.Model(images, logits, name="fashion_classifier")


def fashion_accuracy(
    classifier: keras.Model, split: str = "test", dataset: str = "fashion_mnist"
) -> float:
    """Fraction of the clothes of a split that the classifier names rightly.

    Args:
        classifier: from `load_fashion_classifier` or `train_fashion_classifier`.
        split: "train" or "test".
        dataset: `fashion_mnist`, or `idx:PATH` with its files.

    Returns:
        The accuracy, between 0 and 1.
    """
    return accuracy(classifier, dataset, split)


def write_fashion_classifier(
    dataset: str = "fashion_mnist", path: str | os.PathLike[str] = PACKAGED
) -> keras.Model:
    """Train the classifier and write it, atomically: what the package's file came from.

    Args:
        dataset: as for `train_fashion_classifier`.
        path: the `.keras` file to write; by default the one in the package.

    Returns:
        The trained model.
    """
    classifier = train_fashion_classifier(dataset)
    with atomic_write(path) as draft:
        classifier.save(draft)
    return classifier


def _shuffled_batches(count: int, epochs: int, seed: int) -> Iterator[np.ndarray]:
    """Numbers of images [128] of every batch; what is left of a pass is left out."""
    orders = np.random.default_rng(seed)
    for _ in range(epochs):
        order = orders.permutation(count)[: count // _BATCH * _BATCH]
        yield from order.reshape(-1, _BATCH)


def _mirrored(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirror each image [batch, height, width, 1] left to right half the time."""
    coins = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed, alg="philox")
    return tf.where(coins < 0.5, images[:, :, ::-1], images)
