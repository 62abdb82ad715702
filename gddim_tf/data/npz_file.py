"""Arrays of images in a NumPy archive."""

from __future__ import annotations

import math
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from gddim_tf.data.array_source import ArraySource

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
_LARGEST = 2**33


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
    try:
        arrays = _arrays(path)
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} must be a .npz file of arrays, received: {error}") from error
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
    names = tuple(str(name) for name in arrays.get(_CLASS_NAMES, ()))
    return ArraySource.of(os.fspath(place), splits, names)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of known names, if they are as large as they say."""
    known = {_CLASS_NAMES, *sum((*_IMAGES.values(), *_LABELS.values()), ())}
    # opened as an archive first, which a lone array or a pickle is not
    with zipfile.ZipFile(path) as archive, np.load(path, allow_pickle=False) as file:
        found = [name for name in file.files if name in known]
        room = _LARGEST
        for name in found:
            told = _size(archive, name)
            room -= told
            if room < 0 or told > archive.getinfo(f"{name}.npy").file_size:
                raise ValueError(f"`{name}`, which says that it has {told} bytes")
        return {name: file[name] for name in found}


def _size(archive: zipfile.ZipFile, name: str) -> int:
    """The bytes of an array, by its header alone."""
    with archive.open(f"{name}.npy") as stream:
        version = np.lib.format.read_magic(stream)
        old = version == (1, 0)
        read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
        return math.prod(shape) * dtype.itemsize
