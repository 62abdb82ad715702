"""Images of a folder of IDX files, the format of MNIST."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from gddim_tf.data.array_source import array_pairs, split_range
from gddim_tf.data.data_info import DataInfo
from gddim_tf.data.file_digest import digest_of_files
from gddim_tf.data.idx_file import read_idx, read_idx_shape
from gddim_tf.data.source import Selection
from gddim_tf.digest import digest
from gddim_tf.reading import reading

CLASSES_FILE = "classes.txt"
_KMNIST_FILE = "kmnist_classmap.csv"
FASHION_MNIST_CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
# By the SHA-256 of the labels, uint8, of their training split, [60000], and test split, [10000].
_KNOWN_CLASSES = {
    "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7": FASHION_MNIST_CLASSES,
    "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9": FASHION_MNIST_CLASSES,
}
_IMAGES = re.compile(r"(.*?)(train|t10k|test)-images([-.]idx)3-ubyte(?:\.gz)?")
_SPLITS = {"train": "train", "t10k": "test", "test": "test"}


@dataclass(frozen=True)
class IDXSource:
    """Grey images with labels, as MNIST, Fashion-MNIST, KMNIST and EMNIST are published.

    The folder holds `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, gzipped (`.gz`) or
    not, and for the split "test" `t10k-...` or `test-...`; all may begin with the name of the set,
    such as `emnist-balanced-train-images-idx3-ubyte`. Of a file that is there in both forms the
    unpacked one is read. The classes are called by the lines of `classes.txt`, if the folder holds
    one, or by what EMNIST (`emnist-balanced-mapping.txt`) and KMNIST (`kmnist_classmap.csv`) bring
    with them, or else by their numbers; those of Fashion-MNIST are known. EMNIST's images are
    stored mirrored at their diagonal, and are read as they are stored.

    Attributes:
      root: the folder.
      files: of each split, the files of images and labels.
    """

    root: Path
    files: Mapping[str, tuple[Path, Path]]

    @classmethod
    def open(cls, root: str | os.PathLike) -> IDXSource:
        """List the IDX files in a folder; `~` is the home folder.

        Raises:
          FileNotFoundError: if there is no such folder, or a file of labels is missing.
          NotADirectoryError: if it is a file.
          ValueError: if it holds no training images, or those of several data sets.
        """
        root = Path(root).expanduser()
        if not root.exists():
            raise FileNotFoundError(f"IDX folder {root} does not exist")
        if not root.is_dir():
            raise NotADirectoryError(f"IDX folder {root} must be a folder, received a file")
        files: dict[str, tuple[Path, Path]] = {}
        for images in sorted(root.iterdir()):
            if not (match := _IMAGES.fullmatch(images.name)):
                continue
            prefix, part, idx = match.groups()
            split = _SPLITS[part]
            if split in files and images.name == f"{files[split][0].name}.gz":
                continue
            if split in files:
                raise ValueError(
                    f"IDX folder {root} must hold one file of {split} images, received "
                    f"{files[split][0].name} and {images.name}; give each set a folder of its own"
                )
            labels = root / f"{prefix}{part}-labels{idx}1-ubyte"
            gzipped = labels.with_name(f"{labels.name}.gz")
            if not (labels.exists() or gzipped.exists()):
                raise FileNotFoundError(f"IDX file {labels}, the labels of {images}, is missing")
            files[split] = (images, labels if labels.exists() else gzipped)
        if "train" not in files:
            raise ValueError(
                f"IDX folder {root} must hold train-images-idx3-ubyte or that with .gz"
            )
        return cls(root, files)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The lines of `classes.txt`, or else what is known, or the numbers up to the largest.

        Raises:
          ValueError: if a label has no line in the file, or a list of classes is damaged.
        """
        labels = {split: self._labels(split) for split in self.files}
        count = 1 + max(int(numbers.max()) for numbers in labels.values())
        path = self.root / CLASSES_FILE
        if not path.exists():
            found = (_KNOWN_CLASSES.get(digest([numbers.tobytes()])) for numbers in labels.values())
            known = next(filter(None, found), None) or self._published_classes()
            return known[:count] + tuple(str(number) for number in range(len(known), count))
        with reading(path, "a list of classes"):
            names = tuple(path.read_text(encoding="utf-8-sig").split("\n"))
        names = tuple(name.strip() for name in names if name.strip())
        if len(names) < count:
            raise ValueError(f"{path} must name {count} classes, received {len(names)}")
        return names

    def _published_classes(self) -> tuple[str, ...]:
        """What EMNIST and KMNIST bring with them; nothing if it is not in the folder."""
        prefix = self.files["train"][0].name.partition("train-images")[0]
        for name, read in ((f"{prefix}mapping.txt", _of_mapping), (_KMNIST_FILE, _of_classmap)):
            if (path := self.root / name).exists():
                with reading(path, "a list of classes"):
                    names = read(path.read_text(encoding="utf-8-sig"))
                    return tuple(names.get(number, str(number)) for number in range(256))
        return ()

    def info(self) -> DataInfo:
        """Return the folder's facts; `image_size` is the shorter side of the images.

        Raises:
          ValueError: if a file is not one of the format, or the splits differ in the size of their
            images.
        """
        shapes = {split: read_idx_shape(images, 3) for split, (images, _) in self.files.items()}
        for split, (_, height, width) in shapes.items():
            if (height, width) != shapes["train"][1:]:
                _, *wanted = shapes["train"]
                raise ValueError(
                    f"{self.files[split][0]} must hold images of {wanted[0]}x{wanted[1]} pixels, "
                    f"as those of the training split are, received {height}x{width}"
                )
        _, height, width = shapes["train"]
        return DataInfo(
            name=f"idx:{self.root}",
            image_size=min(height, width),
            channels=1,
            num_classes=len(self.class_names),
            splits={split: shape[0] for split, shape in shapes.items()},
            flip=None,
            class_names=self.class_names,
            stored_size=(height, width),
        )

    def prepare(self) -> str:
        """Return the folder: there is nothing to prepare."""
        return str(self.root)

    def fingerprint(self) -> str:
        """See `data.fingerprint`."""
        files = [file for pair in self.files.values() for file in pair]
        return digest_of_files(self.root, files, self.class_names)

    def count(self, split: str) -> int:
        """Return the number of images in a split or part of one, such as "train[:1000]"."""
        return len(self._range(split))

    def images(self, wanted: Selection) -> tf.data.Dataset:
        """See `Source.images`; what the files hold is always in memory, resized only if asked for.

        Raises:
          ValueError: if a file is not one of the format, or holds more or fewer labels than there
            are images.
        """
        index, count = wanted.shard
        numbers = self._range(wanted.split)[index::count]
        chosen = slice(numbers.start, numbers.stop, numbers.step)
        name = wanted.split.split("[")[0]
        labels = self._labels(name)[chosen].astype(np.int32)
        images = read_idx(self.files[name][0], 3)[chosen, ..., np.newaxis]
        return array_pairs(images, labels, wanted)

    def _labels(self, split: str) -> np.ndarray:
        images, path = self.files[split]
        labels, count = read_idx(path, 1), read_idx_shape(images, 3)[0]
        if len(labels) != count:
            raise ValueError(
                f"IDX file {path} must hold a label for each of the {count} images of "
                f"{images.name}, received {len(labels)}"
            )
        return labels

    def _range(self, split: str) -> range:
        counts = {name: read_idx_shape(images, 3)[0] for name, (images, _) in self.files.items()}
        return split_range(split, counts, f"IDX folder {self.root}")


def _of_mapping(text: str) -> dict[int, str]:
    """Names by class from lines such as "1 65 97": the class, and the codes of its characters."""
    rows = [[int(word) for word in line.split()] for line in text.splitlines() if line.strip()]
    return {label: "".join(map(chr, codes)) for label, *codes in rows}


def _of_classmap(text: str) -> dict[int, str]:
    """Names by class from KMNIST's table, with the columns index, codepoint and char."""
    return {int(row["index"]): row["char"] for row in csv.DictReader(text.splitlines())}
