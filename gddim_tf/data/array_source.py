"""Images that are in memory already, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from gddim_tf.data.data_info import DataInfo
from gddim_tf.data.given_images import Given, images_and_labels
from gddim_tf.data.pixels import fit_to
from gddim_tf.data.source import Selection
from gddim_tf.digest import digest
from gddim_tf.image_size import sides


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Splits of uint8 images and, if there are any, labels.

    Attributes:
      name: that `load` takes.
      splits: of each, images [count, height, width, channels] and labels [count] or None.
      class_names: one for each label; empty without labels.
    """

    name: str
    splits: Mapping[str, tuple[np.ndarray, np.ndarray | None]]
    class_names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, name: str, splits: Mapping[str, Given], class_names: tuple[str, ...]
    ) -> ArraySource:
        """Check what `data.add` was given.

        Args:
          name: that `load` takes.
          splits: of each, images, a pair of images and labels, or a dataset of either.
          class_names: by default the numbers of the classes.

        Raises:
          ValueError: if arrays are of another kind, or the splits do not fit each other.
        """
        checked = {
            split: images_and_labels(f"{name}, {split}", given) for split, given in splits.items()
        }
        shapes = {images.shape[1:] for images, _ in checked.values()}
        labelled = {labels is not None for _, labels in checked.values()}
        if len(shapes) > 1 or len(labelled) > 1:
            raise ValueError(
                f"the splits of {name} must have images of one shape, and all have labels or none, "
                f"received {sorted(shapes)}"
            )
        if labelled == {False}:
            return cls(name, checked)
        given = [labels for _, labels in checked.values() if labels is not None]
        count = 1 + max(int(labels.max()) for labels in given)
        names = class_names or tuple(str(number) for number in range(count))
        if len(names) < count:
            raise ValueError(f"`class_names` must be at least {count}, received {len(names)}")
        return cls(name, checked, names)

    def info(self) -> DataInfo:
        """Return the facts; `image_size` is the shorter side of the images."""
        height, width, channels = next(iter(self.splits.values()))[0].shape[1:]
        return DataInfo(
            name=self.name,
            image_size=min(height, width),
            channels=channels,
            num_classes=len(self.class_names),
            splits={split: len(images) for split, (images, _) in self.splits.items()},
            flip=None,
            class_names=self.class_names,
            stored_size=(height, width),
        )

    def prepare(self) -> str:
        """Return the name: there is nothing to prepare."""
        return self.name

    def fingerprint(self) -> str:
        """The SHA-256 of images, labels and names of the classes."""
        parts: list[bytes | memoryview] = [repr(self.class_names).encode()]
        for split, (images, labels) in sorted(self.splits.items()):
            parts += [f"{split} {images.shape}".encode(), np.ascontiguousarray(images).data]
            parts.append(b"" if labels is None else np.ascontiguousarray(labels).data)
        return digest(parts)

    def count(self, split: str) -> int:
        """Return the number of images in a split or part of one, such as "train[:1000]"."""
        return len(self._range(split))

    def images(self, wanted: Selection) -> tf.data.Dataset:
        """See `Source.images`; the arrays are always in memory, resized only if asked for."""
        index, count = wanted.shard
        numbers = self._range(wanted.split)[index::count]
        chosen = slice(numbers.start, numbers.stop, numbers.step)
        images, labels = self.splits[wanted.split.split("[")[0]]
        zeros = np.zeros(len(images), np.int32)
        return array_pairs(images[chosen], (zeros if labels is None else labels)[chosen], wanted)

    def _range(self, split: str) -> range:
        counts = {name: len(images) for name, (images, _) in self.splits.items()}
        return split_range(split, counts, self.name)


def array_pairs(images: np.ndarray, labels: np.ndarray, wanted: Selection) -> tf.data.Dataset:
    """Pairs of uint8 image and int32 label from arrays, resized on the way if need be.

    Args:
      images: those of the part that is wanted, uint8 [count, height, width, channels].
      labels: [count].
      wanted: size and order; resized images are kept if in memory.
    """
    pairs = tf.data.Dataset.from_tensor_slices((images, labels.astype(np.int32)))
    if wanted.shuffle_seed is not None:
        pairs = pairs.shuffle(len(labels), seed=wanted.shuffle_seed)
    if images.shape[1:3] == sides(wanted.image_size):
        return pairs
    pairs = pairs.map(
        lambda image, label: (fit_to(image, wanted.image_size, None), label),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return pairs.cache() if wanted.in_memory else pairs


def split_range(split: str, counts: Mapping[str, int], source: str) -> range:
    """The numbers of the images in a split or part of one.

    Args:
      split: "train", or in TFDS's notation "train[:1000]".
      counts: images of each split.
      source: what has them, for the error message.

    Raises:
      ValueError: if there is no such split.
    """
    name = split.split("[")[0]
    if name not in counts:
        raise ValueError(
            f"`split` of {source} must be one of {', '.join(counts)}, received {split!r}"
        )
    ((_, numbers),) = split_parts(split, counts)
    return numbers


def split_parts(split: str, counts: Mapping[str, int]) -> list[tuple[str, range]]:
    """Which splits a name in TFDS's notation takes images of, and the numbers of those.

    Args:
      split: such as "train[:1000]", or several with a plus between them.
      counts: images of each split.
    """
    import tensorflow_datasets as tfds

    wholes = {
        name: tfds.core.SplitInfo(name=name, shard_lengths=[count], num_bytes=0)
        for name, count in counts.items()
    }
    return [
        (name, range(part.from_ or 0, counts[name] if part.to is None else part.to))
        for part in tfds.core.ReadInstruction.from_spec(split).to_absolute(wholes)
        for name in [part.splitname]
    ]
