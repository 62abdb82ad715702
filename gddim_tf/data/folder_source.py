"""Images of a folder tree of picture files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from gddim_tf.data.data_info import DataInfo
from gddim_tf.data.file_digest import digest_of_files
from gddim_tf.data.image_file import KINDS, Header, decode, read_header
from gddim_tf.data.image_tree import ImageTree
from gddim_tf.data.source import Selection
from gddim_tf.data.threads import in_threads
from gddim_tf.image_size import sides


@dataclass(frozen=True)
class FolderSource:
    """Every PNG, JPEG, WebP and BMP below a folder, in the order of their paths.

    The classes are those of `ImageTree.walk`, which also counts what is not used. The only split is
    "train". Images are grey if all of them are, and else RGB; see `image_file.decode`.

    Attributes:
      root: the folder.
      tree: the files below it.
      background: the colour that is seen through transparent images.
      forced_channels: 1 or 3; None for what suits the files.
    """

    root: Path
    tree: ImageTree
    background: str = "white"
    forced_channels: int | None = None

    @classmethod
    def open(
        cls, root: str | os.PathLike, background: str = "white", channels: int | None = None
    ) -> FolderSource:
        """List the images below a folder; `~` is the home folder.

        Raises:
          FileNotFoundError: if there is no such folder.
          NotADirectoryError: if it is a file.
          ValueError: if there is no image below it, or no such colour or number of channels.
        """
        from PIL import ImageColor

        root = Path(root).expanduser()
        if not root.exists():
            raise FileNotFoundError(f"image folder {root} does not exist")
        if not root.is_dir():
            raise NotADirectoryError(f"image folder {root} must be a folder, received a file")
        try:
            ImageColor.getrgb(background)
        except ValueError:
            raise ValueError(
                f"`background` must be a colour such as white or #808080, received {background!r}"
            ) from None
        if channels not in (1, 3, None):
            raise ValueError(f"`channels` must be 1 or 3, received {channels}")
        tree = ImageTree.walk(root)
        if not tree.files:
            raise ValueError(f"image folder {root} must hold {KINDS} files, received none")
        return cls(root, tree, background, channels)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The sub-folders that are classes, or nothing."""
        return self.tree.class_names

    @cached_property
    def headers(self) -> list[Header]:
        """Of all files.

        Raises:
          ValueError: if a file is not an image, or a too large one; the message names it.
        """
        return in_threads(read_header, self.tree.files)

    @cached_property
    def channels(self) -> int:
        """1 if all images are grey, and else 3, if none was asked for."""
        return self.forced_channels or (1 if all(head.grey for head in self.headers) else 3)

    def info(self) -> DataInfo:
        """Return the folder's facts; `image_size` is the shortest side of all images.

        Raises:
          ValueError: if a file is not an image; the message names it.
        """
        notes = list(self.tree.notes)
        sizes = {(head.height, head.width) for head in self.headers}
        if transparent := sum(head.transparent for head in self.headers):
            notes.append(f"{transparent} transparent images, put before {self.background}")
        return DataInfo(
            name=f"folder:{self.root}",
            image_size=min(min(head.width, head.height) for head in self.headers),
            channels=self.channels,
            num_classes=len(self.class_names),
            splits={"train": len(self.tree.files)},
            flip=None,
            class_names=self.class_names,
            notes=tuple(notes),
            stored_size=sizes.pop() if len(sizes) == 1 else None,
        )

    def prepare(self) -> str:
        """Return the folder: there is nothing to prepare."""
        return str(self.root)

    def fingerprint(self) -> str:
        """See `data.fingerprint`."""
        told = (*self.class_names, self.background, str(self.forced_channels))
        return digest_of_files(self.root, self.tree.files, told)

    def count(self, split: str) -> int:
        """Return the number of images in "train", the only split."""
        self._check_split(split)
        return len(self.tree.files)

    def images(self, wanted: Selection) -> tf.data.Dataset:
        """See `Source.images`; in memory all is decoded now, else each image whenever it is read.

        Raises:
          ValueError: if an image is broken; the message names the file. If not in memory, a
            file whose header is sound is found out only when it is read, and TensorFlow reports the
            same message as an `InvalidArgumentError`.
        """
        self._check_split(wanted.split)
        index, count = wanted.shard
        files = self.tree.files[index::count]
        size = sides(wanted.image_size)

        def decoded(file: Path) -> np.ndarray:
            return decode(file, size, self.channels, self.background)

        labels = self._labels(files)
        if wanted.in_memory:
            return tf.data.Dataset.from_tensor_slices(
                (np.stack(in_threads(decoded, files)), labels)
            )

        def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            image = tf.numpy_function(
                lambda name: decoded(Path(os.fsdecode(name))), [path], tf.uint8
            )
            return tf.ensure_shape(image, (*size, self.channels)), label

        pairs = tf.data.Dataset.from_tensor_slices(([os.fsencode(f) for f in files], labels))
        if wanted.shuffle_seed is not None:
            pairs = pairs.shuffle(len(files), seed=wanted.shuffle_seed)
        return pairs.map(read, num_parallel_calls=tf.data.AUTOTUNE)

    def _labels(self, files: Sequence[Path]) -> np.ndarray:
        number = {name: index for index, name in enumerate(self.class_names)}
        folders = [file.relative_to(self.root).parts[0] for file in files]
        return np.array([number.get(folder, 0) for folder in folders], dtype=np.int32)

    def _check_split(self, split: str) -> None:
        if split != "train":
            raise ValueError(f"`split` of an image folder must be 'train', received {split!r}")
