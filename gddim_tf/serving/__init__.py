"""Serving: SavedModels that run without this package, and what surrounds them."""

from gddim_tf.serving.export import export
from gddim_tf.serving.served_model import ServedModel

__all__ = ["ServedModel", "export"]
