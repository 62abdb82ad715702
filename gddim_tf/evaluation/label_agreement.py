"""How often a classifier sees in an image the class that the model was told to draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gddim_tf import data
from gddim_tf.evaluation.extraction import Images, extract
from gddim_tf.image_size import ImageSize


def label_agreement(
    extractor: Any, images: Images, labels: ArrayLike | None, classes: int
) -> float | None:
    """Fraction of the images whose largest logit is that of their label.

    Args:
      extractor: see `feature_extractor`.
      images: see `extract`.
      labels: [count], or None.
      classes: how many there are.

    Returns:
      The fraction; None without labels, or from an extractor that has no logits of these classes.
    """
    if labels is None or not hasattr(extractor, "logits"):
        return None
    return agreement_of_logits(extract(extractor.logits, images, progress=False), labels, classes)


def agreement_of_logits(logits: np.ndarray, labels: ArrayLike, classes: int) -> float | None:
    """Fraction of the logits `[count, classes]` whose largest is that of their label."""
    if logits.shape[1] != classes:
        return None
    return float(np.mean(np.argmax(logits, axis=1) == np.asarray(labels)))


def real_label_agreement(extractor: Any, dataset: str, split: str, size: ImageSize) -> float | None:
    """The same of the images of a split, of `size` pixels a side: the classifier's accuracy."""
    classes = data.info(dataset).num_classes
    if not classes:
        return None
    pairs = data.load(dataset, split, 500, image_size=size, labels=True, shuffle=False, cache=False)
    labels = np.concatenate([labels for _, labels in pairs.as_numpy_iterator()])
    return label_agreement(extractor, pairs, labels, classes)
