"""A split as it is: every image once, in its own order, never mirrored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from gddim_tf.data.array_source import split_parts
from gddim_tf.data.catalogue import find
from gddim_tf.data.pipeline import load
from gddim_tf.data.pixels import as_uint8
from gddim_tf.image_size import ImageSize

_BATCH = 500


@dataclasses.dataclass(frozen=True)
class Split:
    """The images of a split, from the first to the last.

    Attributes:
      dataset: a name that `data.load` knows.
      name: of the split, or of a part of one, "train[:1000]".
      image_size: side in pixels, or (height, width); None is that of the data set.

    Examples:
      >>> Split("digits", "test").pixels().shape
      (297, 8, 8, 1)
    """

    dataset: str
    name: str
    image_size: ImageSize | None = None

    @property
    def whole(self) -> str:
        """The name of the split that this one is, or is a part of."""
        return self.name.split("[")[0]

    def count(self) -> int:
        """How many images there are.

        Raises:
          FileNotFoundError: if the data set is not on disk.
        """
        count = find(self.dataset).count(self.name)
        if count is None:
            raise FileNotFoundError(
                f"data set {self.dataset!r} is not on disk; `gddim-tf prepare {self.dataset}` puts "
                "it there"
            )
        return count

    def overlaps(self, other: Split) -> bool:
        """Whether an image of another part of the same data set is in this one, too.

        Raises:
          FileNotFoundError: if the data set is not on disk.
        """
        self.count()
        known = find(self.dataset).info().splits
        counts = {name: count for name, count in known.items() if count is not None}
        return any(
            whole == same and max(mine.start, theirs.start) < min(mine.stop, theirs.stop)
            for whole, mine in split_parts(self.name, counts)
            for same, theirs in split_parts(other.name, counts)
        )

    def images(self, labels: bool = False) -> tf.data.Dataset:
        """The images one by one, float32 in [-1, 1]; with their labels, if these are wanted."""
        return load(
            self.dataset,
            self.name,
            image_size=self.image_size,
            labels=labels,
            shuffle=False,
            flip=False,
            cache=False,
        )

    def batches(
        self, size: int, labels: bool = False, count: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """The first `count` images, or all, as uint8, each batch with its labels or None."""
        for batch in self.images(labels).take(-1 if count is None else count).batch(size):
            pixels, classes = batch if labels else (batch, None)
            yield as_uint8(pixels), None if classes is None else classes.numpy()

    def pixels(self) -> np.ndarray:
        """All images, uint8 `[count, height, width, channels]`."""
        return np.concatenate([pixels for pixels, _ in self.batches(_BATCH)])

    def labelled(self) -> tuple[np.ndarray, np.ndarray]:
        """`pixels` and `labels`, read together."""
        pairs = self.images(labels=True).batch(_BATCH)
        pixels, classes = zip(*pairs.as_numpy_iterator(), strict=True)
        return np.concatenate(list(map(as_uint8, pixels))), np.concatenate(classes)

    def labels(self) -> np.ndarray:
        """All labels, int32 `[count]`."""
        pairs = self.images(labels=True).batch(_BATCH)
        return np.concatenate([classes for _, classes in pairs.as_numpy_iterator()])
