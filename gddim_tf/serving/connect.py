"""A client for a served model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from gddim_tf.serving.access import Access
from gddim_tf.serving.client import Client
from gddim_tf.serving.grpc_client import GrpcClient
from gddim_tf.serving.rest_client import RestClient

PROTOCOLS = {"grpc": GrpcClient, "rest": RestClient}


def connect(
    address: str,
    model: str,
    protocol: str = "grpc",
    *,
    tls: bool = False,
    ca_file: str | os.PathLike | None = None,
    token: str | None = None,
    metadata: Mapping[str, str] | None = None,
    **options: Any,
) -> Client:
    """A client of a model on TF Serving; nothing is sent yet.

    Args:
      address: `host:port`; TF Serving's own ports are 8500 for gRPC and 8501 for REST.
      model: the name of the model.
      protocol: "grpc", which needs the extra `serving`, or "rest".
      tls: speak TLS and require a certificate for the name in the address.
      ca_file: PEM file of the authorities to trust; it implies `tls`.
      token: sent as `authorization: Bearer TOKEN`; never without TLS to another machine.
      metadata: names and values sent with every call, as headers over REST.
      **options: `version`, `deadline`, `wait` and `largest_answer` of `Client`.

    Raises:
      ValueError: for another protocol, an address that is none, or a token in the open.
      ImportError: for gRPC without the extra.
      OSError: if `ca_file` cannot be read.

    Examples:
      >>> client = connect("images.example.org:443", "digits", "rest", tls=True, token="secret")
      >>> client.close()
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"`protocol` must be one of grpc, rest, received {protocol!r}")
    access = Access(tls, ca_file, token, metadata or {})
    return PROTOCOLS[protocol](address, model, access=access, **options)
