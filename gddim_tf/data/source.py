"""What every source of images can do, and what it is asked for."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import tensorflow as tf

from gddim_tf.data.data_info import DataInfo


class Selection(NamedTuple):
    """Which images are wanted, and how.

    Attributes:
      split: or a part of one, where the source has parts.
      image_size: side of the images in pixels, or (height, width).
      in_memory: whether to keep the decoded images for the next pass.
      shard: (index, count): the index-th of count nearly equal parts.
      shuffle_seed: None keeps the order; a number shuffles anew for every pass what is read one by
        one.
    """

    split: str
    image_size: int | tuple[int, int]
    in_memory: bool
    shard: tuple[int, int] = (0, 1)
    shuffle_seed: int | None = None


class Source(Protocol):
    """A data set, wherever its images are."""

    def info(self) -> DataInfo:
        """The facts."""
        ...

    def prepare(self) -> str:
        """Put it on disk, if it is not there, and return its folder or name."""
        ...

    def fingerprint(self) -> str:
        """64 hexadecimal digits; see `data.fingerprint`."""
        ...

    def count(self, split: str) -> int | None:
        """The number of images in a split or part of one, None if it is not on disk."""
        ...

    def images(self, wanted: Selection) -> tf.data.Dataset:
        """(uint8 [height, width, channels], int32 label) pairs.

        Raises:
          ValueError: if the split is unknown, or a file broken; the message names it.
          FileNotFoundError: if they are not on disk.
        """
        ...
