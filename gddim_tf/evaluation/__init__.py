"""How good the samples are: distances between activations, statistics, memorisation, pictures."""

from __future__ import annotations

from gddim_tf.data.pictures import save_comparison, save_gif, save_grid, save_strip
from gddim_tf.evaluation.classifiers import (
    digits_accuracy,
    fashion_accuracy,
    load_digits_classifier,
    load_fashion_classifier,
)
from gddim_tf.evaluation.distances import (
    frechet_distance,
    frechet_distance_from_statistics,
    frechet_floor,
    inception_score,
    kernel_distance,
)
from gddim_tf.evaluation.extraction import extract, extract_statistics
from gddim_tf.evaluation.extractor import FeatureExtractor
from gddim_tf.evaluation.features import (
    DigitsFeatures,
    FashionFeatures,
    InceptionFeatures,
    RandomFeatures,
    feature_extractor,
)
from gddim_tf.evaluation.likelihood import BitsPerDim, bits_per_dim
from gddim_tf.evaluation.likelihood_report import split_bits_per_dim
from gddim_tf.evaluation.memorisation import MemorisationReport, memorisation_report
from gddim_tf.evaluation.monitors import FrechetMonitor
from gddim_tf.evaluation.precision_recall import PrecisionRecall, precision_recall
from gddim_tf.evaluation.statistics import ActivationStatistics, Provenance
from gddim_tf.models.sample_grid import SampleGrid
from gddim_tf.numerics.dequantisation import dequantise
from gddim_tf.numerics.neighbours import nearest_neighbours
from gddim_tf.samplers.density import LogDensity, log_density

__all__ = [
    "ActivationStatistics",
    "BitsPerDim",
    "DigitsFeatures",
    "FashionFeatures",
    "FeatureExtractor",
    "FrechetMonitor",
    "InceptionFeatures",
    "LogDensity",
    "MemorisationReport",
    "PrecisionRecall",
    "Provenance",
    "RandomFeatures",
    "SampleGrid",
    "bits_per_dim",
    "dequantise",
    "digits_accuracy",
    "extract",
    "extract_statistics",
    "fashion_accuracy",
    "feature_extractor",
    "frechet_distance",
    "frechet_distance_from_statistics",
    "frechet_floor",
    "inception_score",
    "kernel_distance",
    "load_digits_classifier",
    "load_fashion_classifier",
    "log_density",
    "memorisation_report",
    "nearest_neighbours",
    "precision_recall",
    "save_comparison",
    "save_gif",
    "save_grid",
    "save_strip",
    "split_bits_per_dim",
]
__dir__ = __all__.copy  # what editors complete
