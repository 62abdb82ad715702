"""A client for a served model."""

from __future__ import annotations

from typing import Any

from gddim_tf.serving.client import Client
from gddim_tf.serving.grpc_client import GrpcClient
from gddim_tf.serving.rest_client import RestClient

PROTOCOLS = {"grpc": GrpcClient, "rest": RestClient}


def connect(address: str, model: str, protocol: str = "grpc", **options: Any) -> Client:
    """A client of a model on TF Serving; nothing is sent yet.

    Args:
      address: `host:port`; TF Serving's own ports are 8500 for gRPC and 8501 for REST.
      model: the name of the model.
      protocol: "grpc", which needs the extra `serving`, or "rest".
      **options: `version`, `deadline` and `wait` of `Client`.

    Raises:
      ValueError: for another protocol, or an address that is none.
      ImportError: for gRPC without the extra.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"`protocol` must be one of grpc, rest, received {protocol!r}")
    return PROTOCOLS[protocol](address, model, **options)
