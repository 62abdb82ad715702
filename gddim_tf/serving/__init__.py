"""Serving: SavedModels that run without this package, what a server needs, and a client."""

from gddim_tf.serving.client import Client, ModelNotLoaded, ServerUnavailable
from gddim_tf.serving.connect import connect
from gddim_tf.serving.export import export
from gddim_tf.serving.served_model import ServedModel

__all__ = ["Client", "ModelNotLoaded", "ServedModel", "ServerUnavailable", "connect", "export"]
