"""The small classifiers that come with the package, whose features measure generated images.

`scripts/train_classifier.py` wrote their files. Distances from different machines can be compared
only if all use the same file.
"""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np

from gddim_tf.data.pixels import from_uint8
from gddim_tf.data.split import Split
from gddim_tf.models.archive import check_archive
from gddim_tf.reading import DamagedFileError, reading

FEATURE_LAYER = "features"
CLASSES = 10
IMAGE_SHAPES = {"digits": (8, 8, 1), "fashion": (28, 28, 1)}
_SEEN = {"digits": "digits", "fashion": "clothes"}
_BATCH = 128


def packaged(kind: str) -> Path:
    """The file of the package that holds the classifier of "digits" or "fashion"."""
    return Path(__file__).with_name(f"{kind}_classifier.keras")


def load_digits_classifier(path: str | os.PathLike[str] | None = None) -> keras.Model:
    """Load the classifier of 8x8 digits, 22,954 weights.

    Args:
      path: a `.keras` file that `scripts/train_classifier.py` wrote; None is the one in the
        package.

    Returns:
      The model: float images [batch, 8, 8, 1] in [-1, 1] to logits [batch, 10]; its layer
      "features" gives the 64 features.

    Raises:
      ValueError: if `path` does not end in `.keras`, or the file is damaged or holds another model.
      FileNotFoundError: if there is no such file.

    Examples:
      >>> load_digits_classifier().output_shape
      (None, 10)
    """
    return _load("digits", path)


def load_fashion_classifier(path: str | os.PathLike[str] | None = None) -> keras.Model:
    """Load the classifier of 28x28 clothes, 209,410 weights.

    Args:
      path: a `.keras` file that `scripts/train_classifier.py` wrote; None is the one in the
        package.

    Returns:
      The model: float images [batch, 28, 28, 1] in [-1, 1] to logits [batch, 10]; its layer
      "features" gives the 64 features.

    Raises:
      ValueError: if `path` does not end in `.keras`, or the file is damaged or holds another model.
      FileNotFoundError: if there is no such file.
    """
    return _load("fashion", path)


def digits_accuracy(classifier: keras.Model, split: str = "test") -> float:
    """Fraction of the digits of a split ("train" or "test") that a classifier names rightly."""
    return accuracy(classifier, "digits", split)


def fashion_accuracy(
    classifier: keras.Model, split: str = "test", dataset: str = "fashion_mnist"
) -> float:
    """Fraction of the clothes of a split that a classifier names rightly.

    Args:
      classifier: from `load_fashion_classifier`.
      split: "train" or "test".
      dataset: `fashion_mnist`, or `idx:PATH` with its files.
    """
    return accuracy(classifier, dataset, split)


def accuracy(classifier: keras.Model, dataset: str, split: str) -> float:
    """Fraction of the images of a split that a classifier names rightly, between 0 and 1.

    Args:
      classifier: float images in [-1, 1] to logits.
      dataset: a name that `data.load` knows.
      split: such as "test".
    """
    pixels, labels = Split(dataset, split).labelled()
    logits = classifier.predict(from_uint8(pixels), _BATCH, 0)
    return float(np.mean(np.argmax(logits, axis=-1) == labels))


def _load(kind: str, path: str | os.PathLike[str] | None) -> keras.Model:
    path = packaged(kind) if path is None else Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"`path` must end in .keras, received {str(path)!r}")
    if not path.exists():
        raise FileNotFoundError(
            f"there is no classifier {path}: python scripts/train_classifier.py {kind} writes one"
        )
    try:
        with reading(path, f"the {_SEEN[kind]} classifier"):
            check_archive(path)
            model = keras.models.load_model(path, compile=False)
    except DamagedFileError as error:
        raise ValueError(f"the classifier {path} must be whole, received: {error}") from error
    names = [layer.name for layer in model.layers]
    expected = (None, *IMAGE_SHAPES[kind]), (None, CLASSES)
    # a model that is no chain of layers has no such attributes
    found = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if FEATURE_LAYER not in names or found != expected:
        raise ValueError(
            f"{path} holds another model than the {_SEEN[kind]} classifier: inputs {found[0]}, "
            f"outputs {found[1]}"
        )
    return model
