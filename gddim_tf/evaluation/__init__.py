"""How good the samples are: distances between activations, statistics, memorisation, pictures."""

from __future__ import annotations

from gddim_tf.evaluation.digits_classifier import (
    digits_accuracy,
    load_digits_classifier,
    train_digits_classifier,
)
from gddim_tf.evaluation.distances import (
    frechet_distance,
    frechet_floor,
    inception_score,
    kernel_distance,
)
from gddim_tf.evaluation.extraction import extract, extract_statistics
from gddim_tf.evaluation.features import (
    DigitsFeatures,
    FeatureExtractor,
    InceptionFeatures,
    feature_extractor,
)
from gddim_tf.evaluation.images import save_comparison, save_gif, save_grid, save_strip
from gddim_tf.evaluation.memorisation import (
    MemorisationReport,
    memorisation_report,
    nearest_neighbours,
)
from gddim_tf.evaluation.statistics import (
    ActivationStatistics,
    Provenance,
    frechet_distance_from_statistics,
)

__all__ = [
    "ActivationStatistics",
    "DigitsFeatures",
    "FeatureExtractor",
    "InceptionFeatures",
    "MemorisationReport",
    "Provenance",
    "digits_accuracy",
    "extract",
    "extract_statistics",
    "feature_extractor",
    "frechet_distance",
    "frechet_distance_from_statistics",
    "frechet_floor",
    "inception_score",
    "kernel_distance",
    "load_digits_classifier",
    "memorisation_report",
    "nearest_neighbours",
    "save_comparison",
    "save_gif",
    "save_grid",
    "save_strip",
    "train_digits_classifier",
]
