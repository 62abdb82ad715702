"""What is known about a data set before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class DataNote(UserWarning):
    """What a user should know about how a data set was read; see `DataInfo.notes`."""


@dataclass(frozen=True)
class DataInfo:
    """Shape, classes and splits of a data set.

    Attributes:
      name: the name that `load` takes.
      image_size: side of the square images in pixels, unless `load` is asked for another.
      channels: 1 (grey) or 3 (red, green, blue).
      num_classes: number of classes; 0 for a data set without labels.
      splits: number of images in each split; None where the data set is not on disk.
      flip: True if a mirror image is as good a sample as the original (and `load` mirrors at random
        when it shuffles), False if it is not (digits), None if only the user can know (folders:
        mirrored on request).
      class_names: the names of the classes, in the order of the labels.
      notes: what a user should know about how the set was read, such as how many files of a folder
        were not used and why.
      stored_size: (height, width) of the images as they are stored; None where they are of several
        sizes, or of each a part is meant to be used.

    Examples:
      >>> from gddim_tf import data
      >>> data.info("digits").class_names[:3]
      ('0', '1', '2')
    """

    name: str
    image_size: int
    channels: int
    num_classes: int
    splits: Mapping[str, int | None]
    flip: bool | None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    stored_size: tuple[int, int] | None = None
