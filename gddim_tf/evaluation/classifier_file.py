"""Reading the files of the small classifiers whose features measure generated images."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import numpy as np

from gddim_tf.data import load

FEATURE_LAYER = "features"
CLASSES = 10
_BATCH = 128


def read_classifier(path: Path, kind: str, image_shape: tuple[int, int, int]) -> keras.Model:
    """Load a `.keras` file and see that it is the classifier it should be.

    Args:
        path: the file.
        kind: "digits" or "clothes", for the error message.
        image_shape: [height, width, channels] that the classifier takes.

    Returns:
        The model: float images in [-1, 1] to logits [batch, 10]; its layer "features" gives the
        features.

    Raises:
        ValueError: if the file holds another model.
        zipfile.BadZipFile: if it is damaged; `OSError`, `KeyError` and `EOFError` say so too.
    """
    # Keras reports a file that is no zip archive as a ValueError, as it does much else.
    zipfile.ZipFile(path).close()
    model = keras.models.load_model(path, compile=False)
    names = [layer.name for layer in model.layers]
    expected = (None, *image_shape), (None, CLASSES)
    if FEATURE_LAYER not in names or (model.input_shape, model.output_shape) != expected:
        raise ValueError(
            f"{path} holds another model than the {kind} classifier: inputs {model.input_shape}, "
            f"outputs {model.output_shape}"
        )
    return model


def accuracy(classifier: keras.Model, dataset: str, split: str) -> float:
    """Fraction of the images of a split that a classifier names rightly, between 0 and 1.

    Args:
        classifier: float images in [-1, 1] to logits.
        dataset: a name that `data.load` knows.
        split: such as "test".
    """
    images, labels = read_split(dataset, split)
    return float(np.mean(np.argmax(classifier.predict(images, _BATCH, 0), axis=-1) == labels))


def read_split(dataset: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Read images in [-1, 1] and labels [count] of a split, in a fixed order."""
    batches = load(dataset, split=split, batch_size=_BATCH, labels=True, shuffle=False)
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)
