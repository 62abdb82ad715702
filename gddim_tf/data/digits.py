"""The 1,797 handwritten digits that come with scikit-learn, as a TFDS data set without a download.

Importing this module imports ``tensorflow_datasets`` and registers the builder as ``digits``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from gddim_tf.data.checksum import require_sha256
from gddim_tf.data.labelled_images import labelled_images

# Of the grey levels 0..16 [1797, 8, 8] followed by the labels [1797], both as uint8.
SOURCE_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


class Digits(tfds.core.GeneratorBasedBuilder):
    """Real 8x8 grey digits, 1,500 to train on and 297 to test with, ten classes.

    The source is the test part of the UCI "Optical Recognition of Handwritten Digits" set
    (Alpaydin and Kaynak, 1998) as scikit-learn ships it. Its grey levels v in 0..16 are stored
    as `round(255 v / 16)`, so that 0 is the paper and 255 the full stroke.

    The split is stratified: counting the images of one class in source order, those with a count
    of 4 modulo 6 (the fifth of every six) are the test images. Both parts keep the source order.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "The first version."}

    def _info(self) -> tfds.core.DatasetInfo:
        return labelled_images(
            self,
            (8, 8, 1),
            tfds.features.ClassLabel(num_classes=10),
            description="The 8x8 handwritten digits of scikit-learn.",
            homepage="https://archive.ics.uci.edu/dataset/80",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing is downloaded
        from sklearn.datasets import load_digits

        source = load_digits()
        levels, labels = source.images.astype(np.uint8), source.target.astype(np.uint8)
        require_sha256(
            "sklearn.datasets.load_digits()", levels.tobytes() + labels.tobytes(), SOURCE_SHA256
        )
        images = np.rint(levels * (255 / 16)).astype(np.uint8)[..., np.newaxis]
        test = _count_within_class(labels) % 6 == 4
        return {
            "train": self._generate_examples(images[~test], labels[~test]),
            "test": self._generate_examples(images[test], labels[test]),
        }

    def _generate_examples(
        self, images: np.ndarray, labels: np.ndarray
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield index, {"image": image, "label": int(label)}


def _count_within_class(labels: np.ndarray) -> np.ndarray:
    """Return how many earlier images have the same label, for every image [N]."""
    counts = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = labels == label
        counts[members] = np.arange(np.count_nonzero(members))
    return counts
