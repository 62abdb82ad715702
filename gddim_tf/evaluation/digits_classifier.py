"""A small classifier of the 8x8 digits, whose features measure generated digits.

The trained network comes with the package (`digits_classifier.keras`, written by
`scripts/train_digits_classifier.py`), so that distances from different machines can be compared.
"""

from __future__ import annotations

import os
import warnings
import zipfile
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
_IMAGE_SHAPE = (8, 8, 1)
_FEATURES = 64


def load_digits_classifier(path: str | os.PathLike[str] | None = None) -> keras.Model:
    """Load the digits classifier, or train it where `path` holds none.

    Args:
        path: a `.keras` file. If it is missing or damaged, a classifier is trained (about ten
            seconds) and written there, and a warning says so. None takes the one in the package.

    Returns:
        The model: float images [batch, 8, 8, 1] in [-1, 1] to logits [batch, 10]; its layer
        "features" gives the 64 features.

    Raises:
        ValueError: if `path` does not end in `.keras`, or holds another model (which is left
            alone).
        FileNotFoundError: if the package came without its file; pass a `path` then.
    """
    if path is None:
        if not PACKAGED.exists():
            raise FileNotFoundError(
                f"the package lacks {PACKAGED.name}: reinstall it, or pass `path`, "
                "where a classifier is trained"
            )
        return read_classifier(PACKAGED, "digits", _IMAGE_SHAPE)
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"`path` must end in .keras, received {str(path)!r}")
    reason = "there is none yet"
    if path.exists():
        try:
            return read_classifier(path, "digits", _IMAGE_SHAPE)
        except (OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
            reason = f"the file is damaged ({error})"
    warnings.warn(f"training the digits classifier for {path}: {reason}", UserWarning, stacklevel=2)
    return write_digits_classifier(path)


def train_digits_classifier(epochs: int = 15, seed: int = 0) -> keras.Model:
    """Train the classifier on the training digits and their shifts by one pixel.

    Adam, learning rate 2e-3 falling to 0 along a cosine, batches of 128. All randomness is drawn
    from `seed`, and none from Keras' or NumPy's global state.

    Args:
        epochs: passes over the 9 * 1500 shifted images.
        seed: of the first weights, the order of the images and the dropout.

    Returns:
        The trained model, not compiled.
    """
    classifier = build_digits_classifier(seed)
    images, labels = read_split("digits", "train")
    images, labels = _shifted(images), np.tile(labels, 9)
    orders = np.random.default_rng(seed)
    order = np.concatenate([orders.permutation(len(images)) for _ in range(epochs)])
    batches = tf.data.Dataset.from_tensor_slices(order).batch(_BATCH, drop_remainder=True)
    batches = batches.map(lambda chosen: (tf.gather(images, chosen), tf.gather(labels, chosen)))
    # The optimizer belongs to this twin, so that the classifier is saved without its state.
    trainer = keras.Model(classifier.inputs, classifier.outputs)
    trainer.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(2e-3, len(order) // _BATCH)
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    trainer.fit(batches, shuffle=False, verbose=0)
    return classifier


def build_digits_classifier(seed: int = 0) -> keras.Model:
    """Build the untrained network: three convolutions, 64 rectified features, 10 logits.

    Args:
        seed: of the first weights and the dropout.

    Returns:
        The model, 22,954 weights, not compiled.
    """
    seeds = iter(np.random.SeedSequence(seed).generate_state(7).tolist())

    def convolution(filters: int) -> keras.layers.Layer:
        return keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(next(seeds)),
        )

    images = keras.Input(_IMAGE_SHAPE, name="images")
    x = convolution(16)(images)
    x = convolution(32)(x)
    x = keras.layers.MaxPooling2D()(x)
    x = convolution(32)(x)
    x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.3, seed=next(seeds))(x)
    x = keras.layers.Dense(
        _FEATURES,
        activation="relu",
        kernel_initializer=keras.initializers.HeNormal(next(seeds)),
        name=FEATURE_LAYER,
    )(x)
    x = keras.layers.Dropout(0.3, seed=next(seeds))(x)
    logits = keras.layers.Dense(
        CLASSES, kernel_initializer=keras.initializers.GlorotUniform(next(seeds)), name="logits"
    )(x)
    return keras.Model(images, logits, name="digits_classifier")


def digits_accuracy(classifier: keras.Model, split: str = "test") -> float:
    """Fraction of the digits of a split that the classifier names rightly.

    Args:
        classifier: from `load_digits_classifier` or `train_digits_classifier`.
        split: "train" or "test".

    Returns:
        The accuracy, between 0 and 1.
    """
    return accuracy(classifier, "digits", split)


def write_digits_classifier(path: str | os.PathLike[str] = PACKAGED) -> keras.Model:
    """Train the classifier and write it, atomically: what the package's file came from.

    Args:
        path: the `.keras` file to write; by default the one in the package.

    Returns:
        The trained model.
    """
    classifier = train_digits_classifier()
    with atomic_write(path) as draft:
        classifier.save(draft)
    return classifier


def _shifted(images: np.ndarray) -> np.ndarray:
    """Move the images by -1, 0 and 1 pixels along both axes, [9 * count, 8, 8, 1]."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-1.0)
    height, width = images.shape[1:3]
    return np.concatenate(
        [
            padded[:, top : top + height, left : left + width]
            for top in range(3)
            for left in range(3)
        ]
    )
