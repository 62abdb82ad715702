"""Data with an exact score, which the benchmark of accuracy has, too."""

from benchmarks.accuracy.mixture import Mixture

__all__ = ["Mixture"]
