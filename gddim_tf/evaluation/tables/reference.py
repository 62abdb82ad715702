"""The real images that generated ones are measured against."""

from __future__ import annotations

from typing import Any

import numpy as np

from gddim_tf import data
from gddim_tf.evaluation.distances import kernel_distance
from gddim_tf.evaluation.extraction import extract
from gddim_tf.evaluation.images import as_uint8
from gddim_tf.evaluation.measuring import quiet_frechet_distance
from gddim_tf.evaluation.memorisation import memorisation_report

# With more training images than this, nobody fears that a small model knows them by heart.
_MEMORISABLE = 20_000


class Reference:
    """The real images that generated ones are measured against.

    Args:
      dataset: a name that `data.load` knows.
      extractor: see `feature_extractor`.
      image_size: of the model.
      split: of the reference, on which published distances are measured too: the training images.
      held_out: split of images that no model was trained on.
    """

    def __init__(
        self,
        dataset: str,
        extractor: Any,
        image_size: int,
        split: str = "train",
        held_out: str = "test",
    ) -> None:
        self.dataset, self.split, self.held_out = dataset, split, held_out
        self.extractor = extractor
        self.training = _images(dataset, split, image_size)
        self.unseen = _images(dataset, held_out, image_size)
        self.activations = extract(extractor, self.training, progress=False)
        unseen = extract(extractor, self.unseen, progress=False)
        self.floor = quiet_frechet_distance(self.activations, unseen)

    def measure(self, images: np.ndarray) -> dict[str, float]:
        """Distances of generated images uint8 `[count, height, width, C]`, as plain numbers."""
        fake = extract(self.extractor, images, progress=False)
        measured = {
            "frechet": quiet_frechet_distance(self.activations, fake),
            "kernel": kernel_distance(self.activations, fake),
        }
        if len(self.training) <= _MEMORISABLE:
            report = memorisation_report(images, self.training, self.unseen)
            measured["median_ratio"] = report.median_ratio
            measured["close_fraction"] = report.close_fraction
        return measured


def _images(dataset: str, split: str, size: int) -> np.ndarray:
    batches = data.load(
        dataset, split, batch_size=500, image_size=size, shuffle=False, flip=False
    ).as_numpy_iterator()
    return np.concatenate([as_uint8(batch) for batch in batches])
