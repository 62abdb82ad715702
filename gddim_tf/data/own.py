"""Data sets that only the user knows: added arrays, `.npz` files, and what TFDS has written."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from gddim_tf.data.array_source import ArraySource
from gddim_tf.data.given_images import Given
from gddim_tf.data.npz_file import open_npz
from gddim_tf.data.prepared_source import PreparedSource

_added: dict[str, ArraySource] = {}


def add(
    name: str, train: Given, test: Given | None = None, *, class_names: Sequence[str] = ()
) -> None:
    """Give arrays a name, for `load`, `training.Recipe`, `evaluation` and all that take a name.

    For example:
        data.add("faces", (images, labels), class_names=("cat", "dog"))
        training.train(training.Recipe(dataset="faces", image_size=32), "runs/faces")

    The name is known in this process only, and one that was added before is replaced.

    Args:
      name: letters, digits and underscores.
      train: images, or a pair of images and labels, or a finite `tf.data.Dataset` of images or
        pairs, in batches or one by one. Images are [count, height, width] or [count, height, width,
        1 or 3], uint8 or float in [-1, 1]; labels are [count], whole numbers from 0 on. They are
        kept as uint8.
      test: None, or the same of images that are not trained on.
      class_names: by default the numbers of the classes.

    Raises:
      ValueError: if something is of another kind, or larger than 8 GiB, or the name is taken by a
        known data set.
    """
    if not re.fullmatch(r"\w+", name):
        raise ValueError(f"`name` must be letters, digits and underscores, received {name!r}")
    from gddim_tf.data.catalogue import names  # which looks here for all other names

    if name in names():
        raise ValueError(f"`name` must be a new one, received that of a known data set, {name!r}")
    given = {"train": train} | ({} if test is None else {"test": test})
    _added[name] = ArraySource.of(name, given, tuple(class_names))


def own_source(
    name: str, data_dir: str | os.PathLike | None
) -> ArraySource | PreparedSource | None:
    """The source of a data set that was added, is a `.npz` file, or was written by TFDS.

    Args:
      name: of the data set.
      data_dir: folder of the TFDS data sets; None is `GDDIM_TF_DATA_DIR` or TFDS's own.

    Returns:
      None if it is none of these.
    """
    if name in _added:
        return _added[name]
    if name.endswith(".npz"):
        return open_npz(name)
    return PreparedSource.find(name, data_dir)
