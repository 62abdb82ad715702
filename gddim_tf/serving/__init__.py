"""Serving: SavedModels that run without this package, what a server needs, and a client."""

from gddim_tf.models.served_model import ServedModel
from gddim_tf.serving.access import Access
from gddim_tf.serving.client import Client
from gddim_tf.serving.connect import connect
from gddim_tf.serving.errors import ModelNotLoaded, ServerUnavailable, WrongAnswer
from gddim_tf.serving.export import export
from gddim_tf.serving.stablehlo import export_stablehlo

__all__ = [
    "Access",
    "Client",
    "ModelNotLoaded",
    "ServedModel",
    "ServerUnavailable",
    "WrongAnswer",
    "connect",
    "export",
    "export_stablehlo",
]
__dir__ = __all__.copy  # what editors complete
