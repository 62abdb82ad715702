"""Arrays of images in a NumPy archive."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from gddim_tf.data.array_source import ArraySource
from gddim_tf.reading import read_arrays

# What people call the images and the labels of a split; the first that is there is taken.
_IMAGES = {
    "train": ("train_images", "x_train", "images", "x", "arr_0"),
    "test": ("test_images", "x_test"),
    "validation": ("validation_images", "val_images", "x_val"),
}
_LABELS = {
    "train": ("train_labels", "y_train", "labels", "y", "arr_1"),
    "test": ("test_labels", "y_test"),
    "validation": ("validation_labels", "val_labels", "y_val"),
}
_CLASS_NAMES = "class_names"


def open_npz(place: str | os.PathLike) -> ArraySource:
    """Read the images of a `.npz` file, as Keras' `mnist.npz`, MedMNIST or `np.savez` write them.

    Args:
      place: the file. It holds `x_train` or `images`, and if there are labels and other splits
        `y_train` or `labels`, `x_test`, `y_test`, `x_val`, `y_val`, or those names of the kind
        `train_images` and `train_labels`; perhaps `class_names`.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if it is damaged, holds pickles, or no images.
    """
    path = Path(place).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"image file {path} does not exist")
    known = {_CLASS_NAMES, *sum((*_IMAGES.values(), *_LABELS.values()), ())}
    arrays = read_arrays(path, "a .npz file of arrays", known)
    splits = {}
    for split, names in _IMAGES.items():
        images = next((arrays[name] for name in names if name in arrays), None)
        labels = next((arrays[name] for name in _LABELS[split] if name in arrays), None)
        if images is not None:
            splits[split] = (images, labels)
    if "train" not in splits:
        raise ValueError(
            f"{path} must hold an array called {', '.join(_IMAGES['train'])}, "
            f"received {', '.join(arrays) or 'none'}"
        )
    names = tuple(str(name) for name in np.ravel(arrays.get(_CLASS_NAMES, ())))
    return ArraySource.of(os.fspath(place), splits, names)
