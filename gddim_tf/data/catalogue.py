"""The data sets by name."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

from gddim_tf.choice import meant
from gddim_tf.data.data_info import DataInfo
from gddim_tf.data.folder_source import FolderSource
from gddim_tf.data.idx_source import FASHION_MNIST_CLASSES, IDXSource
from gddim_tf.data.own import own_source
from gddim_tf.data.source import Source
from gddim_tf.data.tfds_source import TFDSSource

FOLDER_PREFIX = "folder:"
IDX_PREFIX = "idx:"

_CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
_TRAIN_AND_TEST = {"train": None, "test": None}
_TRAIN_AND_VALIDATION = {"train": None, "validation": None}

_LSUN: dict[str, Any] = {
    "image_size": 256,
    "channels": 3,
    "splits": _TRAIN_AND_VALIDATION,
    "flip": True,
    "obstacle": "TFDS writes it only with the package tensorflow-io",
}

_SOURCES = (
    TFDSSource(
        "digits",
        image_size=8,
        channels=1,
        splits={"train": 1500, "test": 297},
        flip=False,
        class_names=tuple("0123456789"),
        generated=True,
    ),
    TFDSSource(
        "photo_patches",
        image_size=32,
        channels=3,
        splits={"train": 10_000, "test": 2_000},
        flip=True,
        class_names=("china", "flower"),
        generated=True,
    ),
    TFDSSource(
        "fashion_mnist",
        image_size=28,
        channels=1,
        splits=_TRAIN_AND_TEST,
        flip=False,  # every shoe points to the left
        class_names=FASHION_MNIST_CLASSES,
    ),
    TFDSSource(
        "cifar10",
        image_size=32,
        channels=3,
        splits=_TRAIN_AND_TEST,
        flip=True,
        class_names=_CIFAR10_CLASSES,
    ),
    # DDIM's crop (Song et al., 2021, published code): 64 pixels to each side of row 121, column 89.
    TFDSSource(
        "celeb_a",
        image_size=64,
        channels=3,
        splits={"train": None, "validation": None, "test": None},
        flip=True,
        box=(121 - 64, 89 - 64, 128, 128),
    ),
    TFDSSource(
        "downsampled_imagenet/32x32",
        image_size=32,
        channels=3,
        splits=_TRAIN_AND_VALIDATION,
        flip=True,
        obstacle="the address that TFDS knows no longer answers",
    ),
    TFDSSource("lsun/bedroom", **_LSUN),
    TFDSSource("lsun/church_outdoor", **_LSUN),
)
_BY_NAME = {source.name: source for source in _SOURCES}

# folder:PATH, folder(OPTIONS):PATH or idx:PATH
_PLACE = re.compile(r"(folder|idx)(?:\((.*?)\))?:(.*)", re.DOTALL)
_OPENERS = {"folder": FolderSource.open, "idx": IDXSource.open}
_OPTIONS = {"folder": ("background", "channels"), "idx": ()}


def names() -> list[str]:
    """Return the names of the data sets.

    Besides them, `folder:PATH` reads any image folder, `idx:PATH` one of MNIST's files, and
    `FILE.npz` a NumPy archive; what TFDS has written or `add` was given goes by its name.
    """
    return list(_BY_NAME)


def find(name: str, data_dir: str | os.PathLike | None = None) -> Source:
    """Return the source of a data set's images.

    Args:
      name: of a data set, `folder:PATH`, `idx:PATH` or `FILE.npz`.
      data_dir: folder of the TFDS data sets; the default is the environment variable
        `GDDIM_TF_DATA_DIR`, or else TFDS's own default (`~/tensorflow_datasets`).

    Raises:
      ValueError: if there is no such data set, or the folder holds no images, or an option before
        the colon is unknown.
      FileNotFoundError: if the image folder does not exist.
    """
    if place := _PLACE.fullmatch(name):
        kind, options, path = place.groups()
        if not path.strip():
            raise ValueError(f"`name` must have a path after the colon, received {name!r}")
        return _OPENERS[kind](path, **_options(name, kind, options))
    if name not in _BY_NAME and (own := own_source(name, data_dir)):
        return own
    if name not in _BY_NAME:
        raise ValueError(
            f"`name` must be one of {', '.join(names())}, a set that TFDS has written, FILE.npz, "
            f"{FOLDER_PREFIX}PATH or {IDX_PREFIX}PATH, received {name!r}{_hint(name)}"
        )
    return dataclasses.replace(_BY_NAME[name], data_dir=data_dir)


def _options(name: str, kind: str, text: str | None) -> dict[str, str | int]:
    """The options between brackets in `folder(background=black):PATH`."""
    options = {}
    for part in (text or "").split(","):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if not key and not value:
            continue
        if key not in _OPTIONS[kind] or not value:
            known = ", ".join(_OPTIONS[kind]) or "none"
            raise ValueError(f"the options of {kind}: are {known}, received {name!r}")
        options[key] = int(value) if value.isdigit() else value
    return options


def _hint(name: str) -> str:
    """What somebody may have meant who gave a path or a name with a mistake."""
    path = Path(name).expanduser()
    if path.is_dir():
        idx = any("images" in file.name and "idx" in file.name for file in path.iterdir())
        return f"; did you mean {IDX_PREFIX if idx else FOLDER_PREFIX}{name}?"
    return meant(name, names())


def info(name: str, data_dir: str | os.PathLike | None = None) -> DataInfo:
    """Return what is known about a data set without reading its images.

    Args:
      name: one of `names()`, `folder:PATH` or `idx:PATH`.
      data_dir: folder of the TFDS data sets, which decides which splits have a known size; None is
        `GDDIM_TF_DATA_DIR` or TFDS's own.
    """
    return find(name, data_dir).info()


def fingerprint(name: str, data_dir: str | os.PathLike | None = None) -> str:
    """The SHA-256 of what a data set holds: names and contents of its files, and its classes.

    Of a TFDS data set, whose records are written once, the names and lengths of the records and the
    description beside them.

    Args:
      name: of a data set, `folder:PATH`, `idx:PATH` or `FILE.npz`.
      data_dir: folder of the TFDS data sets; None is `GDDIM_TF_DATA_DIR` or TFDS's own.

    Returns:
      64 hexadecimal digits.
    """
    return find(name, data_dir).fingerprint()


def prepare(name: str, data_dir: str | os.PathLike | None = None) -> str:
    """Put a data set on disk, downloading it if necessary, and return its folder.

    `digits` and `photo_patches` need no network. `fashion_mnist`, `cifar10` and `celeb_a` are
    downloaded from their authors' sites. `lsun/*` and `downsampled_imagenet` cannot be: TFDS writes
    the first only with `tensorflow-io`, and the address it knows for the second no longer answers.
    Name a folder where TFDS has written them in the environment variable `GDDIM_TF_DATA_DIR`, or
    unpack the images and read them with `folder:PATH`.

    Args:
      name: one of `names()`; a `folder:PATH` or `idx:PATH` is only checked for images.
      data_dir: folder of the TFDS data sets; None is `GDDIM_TF_DATA_DIR` or TFDS's own.

    Raises:
      ConnectionError: if the data set must be downloaded and the network does not answer.
      FileNotFoundError: if it is not on disk and cannot be downloaded.
      ValueError: if `name` is unknown.
    """
    return find(name, data_dir).prepare()
