"""Images of a folder tree of PNG and JPEG files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import tensorflow as tf

from gddim_tf.data.data_info import DataInfo

if TYPE_CHECKING:
    from PIL import Image

T = TypeVar("T")

CHANNELS = 3
SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})


@dataclass(frozen=True)
class FolderSource:
    """Every PNG and JPEG below a folder, in the order of their paths.

    Files with other endings and hidden files or folders are ignored, and linked folders are not
    followed. If every image lies in a sub-folder, the sub-folders of the first level are the
    classes, in alphabetical order; otherwise the images have no labels. The only split is "train".

    Every image becomes RGB: grey is repeated, a palette is looked up, an alpha channel is dropped,
    16-bit grey is divided by 257. The orientation noted by a camera (EXIF) is applied. Then the
    largest centred square is resized with an antialiased bilinear filter.

    Attributes:
        root: the folder.
        files: the image files below it.
        class_names: the sub-folders that are classes, or nothing.
    """

    root: Path
    files: tuple[Path, ...]
    class_names: tuple[str, ...]

    @classmethod
    def open(cls, root: str | os.PathLike) -> FolderSource:
        """List the images below a folder; `~` is the home folder.

        Raises:
            FileNotFoundError: if there is no such folder.
            NotADirectoryError: if it is a file.
            ValueError: if there is no PNG or JPEG below it.
        """
        root = Path(root).expanduser()
        if not root.exists():
            raise FileNotFoundError(f"image folder {root} does not exist")
        if not root.is_dir():
            raise NotADirectoryError(f"image folder {root} must be a folder, received a file")
        files = _list_images(root)
        if not files:
            raise ValueError(f"image folder {root} must hold PNG or JPEG files, received none")
        parts = [file.relative_to(root).parts for file in files]
        classes = {p[0] for p in parts} if all(len(p) > 1 for p in parts) else set()
        return cls(root, tuple(files), tuple(sorted(classes)))

    @cached_property
    def shortest_side(self) -> int:
        """The smallest height or width of all images, from the headers of the files.

        Raises:
            ValueError: if a file is not an image; the message names it.
        """
        return min(_in_threads(_shorter_side, self.files))

    def info(self) -> DataInfo:
        """Return the folder's facts; `image_size` is the shortest side of all images.

        Raises:
            ValueError: if a file is not an image; the message names it.
        """
        return DataInfo(
            name=f"folder:{self.root}",
            image_size=self.shortest_side,
            channels=CHANNELS,
            num_classes=len(self.class_names),
            splits={"train": len(self.files)},
            flip=None,
            class_names=self.class_names,
        )

    def prepare(self) -> str:
        """Return the folder: there is nothing to prepare."""
        return str(self.root)

    def count(self, split: str) -> int:
        """Return the number of images in "train", the only split."""
        self._check_split(split)
        return len(self.files)

    def images(
        self,
        split: str,
        image_size: int,
        *,
        in_memory: bool,
        shard: tuple[int, int],
        shuffle_seed: int | None,
    ) -> tf.data.Dataset:
        """Return the images as (uint8 [image_size, image_size, 3], int32 label) pairs.

        Args:
            split: "train".
            image_size: side of the images.
            in_memory: True decodes everything now; False decodes each image whenever it is read.
            shard: (index, count): take every count-th file, beginning with number index.
            shuffle_seed: None keeps the order, a number shuffles the files anew for every pass.

        Raises:
            ValueError: if an image is broken; the message names the file. With `in_memory=False`
                a file whose header is sound is found out only when it is read, and TensorFlow
                reports the same message as an `InvalidArgumentError`.
        """
        self._check_split(split)
        index, count = shard
        files = self.files[index::count]
        number = {name: index for index, name in enumerate(self.class_names)}
        folders = [file.relative_to(self.root).parts[0] for file in files]
        labels = np.array([number.get(folder, 0) for folder in folders], dtype=np.int32)
        if in_memory:
            images = np.stack(_in_threads(lambda file: _decode(file, image_size), files))
            return tf.data.Dataset.from_tensor_slices((images, labels))

        def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            image = tf.numpy_function(
                lambda name: _decode(Path(os.fsdecode(name)), image_size), [path], tf.uint8
            )
            return tf.ensure_shape(image, (image_size, image_size, CHANNELS)), label

        pairs = tf.data.Dataset.from_tensor_slices(([os.fsencode(f) for f in files], labels))
        if shuffle_seed is not None:
            pairs = pairs.shuffle(len(files), seed=shuffle_seed)
        return pairs.map(read, num_parallel_calls=tf.data.AUTOTUNE)

    def _check_split(self, split: str) -> None:
        if split != "train":
            raise ValueError(f"`split` of an image folder must be 'train', received {split!r}")


def _list_images(root: Path) -> list[Path]:
    files = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                files.append(Path(folder, name))
    return sorted(files)


def _in_threads(function: Callable[[Path], T], files: Sequence[Path]) -> list[T]:
    """Apply a function to every file, several at a time; Pillow decodes outside Python's lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, files))


def _shorter_side(file: Path) -> int:
    from PIL import Image

    try:
        with Image.open(file) as image:
            return min(image.size)
    except Exception as error:
        raise _broken(file, error) from error


def _decode(file: Path, size: int) -> np.ndarray:
    """Return the image in a file as uint8 [size, size, 3], by the rules of `FolderSource`."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as image:
            upright = _to_rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # Pillow raises many kinds; all mean that this file is broken
        raise _broken(file, error) from error
    width, height = upright.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    square = upright.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))


def _to_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits; Pillow would clip them at 255
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    return image.convert("RGB")


def _broken(file: Path, error: Exception) -> ValueError:
    return ValueError(f"image file {file} must be a readable PNG or JPEG, received: {error}")
