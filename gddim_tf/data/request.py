"""What a reader asks of a data set, checked and completed."""

from __future__ import annotations

import dataclasses

from gddim_tf.data.data_info import DataInfo


@dataclasses.dataclass(frozen=True)
class Request:
    """The arguments of `load` that say what to read and how.

    Attributes:
      split: or a part of one.
      batch_size: images per batch, or None.
      image_size: in pixels, or None for the data set's own.
      labels: whether they are wanted.
      shuffle: None for the default of the split.
      flip: None for the default of the data set.
      seed: of shuffling and mirroring.
      repeat: whether to begin again for ever.
      start: number of the first batch.
      drop_remainder: whether a smaller last batch is left out.
      shard: (index, count), or None for all of it.
      cache: None for whatever fits.

    Raises:
      ValueError: if one of them is out of its range.
    """

    split: str
    batch_size: int | None
    image_size: int | tuple[int, int] | None
    labels: bool
    shuffle: bool | None
    flip: bool | None
    seed: int
    repeat: bool
    start: int
    drop_remainder: bool
    shard: tuple[int, int] | None
    cache: bool | None

    def __post_init__(self) -> None:
        size = self.image_size
        sides = size if isinstance(size, tuple) else (size,)
        if len(sides) > 2 or (len(sides) < 2 and sides is size):
            raise ValueError(f"`image_size` must be a side or (height, width), received {size}")
        counts = (("batch_size", self.batch_size), *(("image_size", side) for side in sides))
        for argument, value in counts:
            if value is not None and value < 1:
                raise ValueError(
                    f"`{argument}` must be a positive number or None, received {value}"
                )
        if self.shard is not None and not (
            len(self.shard) == 2 and 0 <= self.shard[0] < self.shard[1]
        ):
            raise ValueError(
                f"`shard` must be (index, count) with 0 <= index < count, received {self.shard}"
            )
        if self.start < 0 or (self.start and not (self.repeat and self.batch_size)):
            raise ValueError(
                "`start` must be 0, or the number of a batch when `repeat` and `batch_size` are "
                f"given, received {self.start}"
            )

    def check_against(self, info: DataInfo) -> None:
        """Raises `ValueError` if the data set cannot give what is asked for."""
        if self.split.split("[")[0] not in info.splits:
            raise ValueError(
                f"`split` of {info.name} must be one of {', '.join(info.splits)}, received "
                f"{self.split!r}"
            )
        if self.labels and not info.num_classes:
            raise ValueError(f"`labels` must be False for {info.name}: {_why_none(info)}")
        if self.flip and info.flip is False:
            raise ValueError(
                f"`flip` must not be True for {info.name}: mirrored, they are no samples"
            )

    def part_of(self, count: int | None) -> int | None:
        """How many of `count` images the reader gets.

        Raises:
          ValueError: if there are fewer images than readers, or not enough for one batch.
        """
        if count is None:
            return None
        index, workers = self.shard or (0, 1)
        if workers > count:
            raise ValueError(
                "`split` and `shard` must leave each worker at least one image, "
                f"received {count} images and {workers} workers for {self.split!r}"
            )
        part = count // workers + (index < count % workers)
        if self.drop_remainder and not self.repeat and part < (self.batch_size or 1):
            raise ValueError(
                f"`batch_size` must be at most the {part} images there are when `drop_remainder` "
                f"is True and `repeat` is False, received {self.batch_size}: there would be no "
                "batch at all"
            )
        return part


def _why_none(info: DataInfo) -> str:
    return next((note for note in info.notes if "no classes" in note), "it has no classes")
