"""32x32 colour crops of the two photographs that come with scikit-learn, as a TFDS data set.

Importing this module imports ``tensorflow_datasets`` and registers the builder as
``photo_patches``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from gddim_tf.data.checksum import require_sha256
from gddim_tf.data.labelled_images import labelled_images

SIZE = 32

# Of the JPEG files: their decoded pixels may differ by a grey level between JPEG libraries.
SOURCE_SHA256 = {
    "china.jpg": "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    "flower.jpg": "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
}


class Lattice(NamedTuple):
    """A regular lattice of crop corners inside the columns `left` to `right` of a photograph."""

    left: int
    right: int
    rows: int
    columns: int

    def corners(self, height: int) -> Iterator[tuple[int, int]]:
        """Yield (top, left) of every crop, the first and last ones touching the area's edges."""
        last_top, last_left = height - SIZE, self.right - self.left - SIZE
        for row in range(self.rows):
            for column in range(self.columns):
                top = row * last_top // (self.rows - 1)
                yield top, self.left + column * last_left // (self.columns - 1)


# The photographs are 427 x 640; the areas share no pixel.
TRAIN = Lattice(left=0, right=512, rows=50, columns=100)
TEST = Lattice(left=512, right=640, rows=40, columns=25)


class PhotoPatches(tfds.core.GeneratorBasedBuilder):
    """Colour images at CIFAR-10's shape without a download: 10,000 to train on, 2,000 to test with.

    Each photograph of scikit-learn's `load_sample_images` is cropped at 50 x 100 places of its
    left 512 columns (train) and at 40 x 25 places of its right 128 columns (test); the label
    says which photograph, and the two take turns. Neighbouring crops overlap, so this is a set to
    try colour models on, not a benchmark.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "The first version."}

    def _info(self) -> tfds.core.DatasetInfo:
        return labelled_images(
            self,
            (SIZE, SIZE, 3),
            tfds.features.ClassLabel(names=["china", "flower"]),
            description="32x32 crops of the two photographs of scikit-learn.",
            homepage="https://scikit-learn.org/stable/datasets/loading_other_datasets.html",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing is downloaded
        from sklearn.datasets import load_sample_images

        source = load_sample_images()
        for filename in map(Path, source.filenames):
            require_sha256(
                f"scikit-learn's photograph {filename.name}",
                filename.read_bytes(),
                SOURCE_SHA256[filename.name],
            )
        return {
            "train": self._generate_examples(source.images, TRAIN),
            "test": self._generate_examples(source.images, TEST),
        }

    def _generate_examples(
        self, photographs: list[np.ndarray], lattice: Lattice
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        index = 0
        for top, left in lattice.corners(height=photographs[0].shape[0]):
            for label, photograph in enumerate(photographs):
                crop = photograph[top : top + SIZE, left : left + SIZE]
                yield index, {"image": crop, "label": label}
                index += 1
