"""A model behind the C loader, with a name and what a server would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2

from benchmarks.load.c_session import CError, CSession

INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE, UNAUTHENTICATED = 3, 5, 14, 16


class LoadedModel:
    """A model with a name, which may first pretend to be loading or too busy for some calls."""

    def __init__(
        self,
        session: CSession,
        name: str,
        loading: int = 0,
        busy: int = 0,
        token: str | None = None,
    ) -> None:
        self.session, self.name = session, name
        self.loading, self.busy, self.token = loading, busy, token
        self.metadata: list[dict[str, str]] = []  # of every call

    def check_token(self, metadata: Mapping[str, str]) -> None:
        """Raise unless the call has the token, if there is one."""
        if self.token and metadata.get("authorization") != f"Bearer {self.token}":
            raise CError(UNAUTHENTICATED, "a token is missing")

    def check(self, name: str) -> None:
        """Raise unless the model can be used."""
        if self.busy > 0:
            self.busy -= 1
            raise CError(UNAVAILABLE, "the batch scheduling queue is full")
        if name != self.name or self.loading > 0:
            raise CError(NOT_FOUND, f"Servable not found for request: Latest({name})")

    def state(self, name: str) -> str:
        """The name of the state, as GetModelStatus says it."""
        if name != self.name:
            raise CError(NOT_FOUND, f"Could not find any versions of model {name}")
        self.loading -= 1
        return "LOADING" if self.loading >= 0 else "AVAILABLE"

    def predict(
        self, name: str, signature: str, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Run a signature; wrong names are refused as TF Serving does."""
        self.check(name)
        described = self.session.signatures.get(signature or "serving_default")
        if described is None:
            raise CError(INVALID_ARGUMENT, f'Serving signature name: "{signature}" not found')
        if set(inputs) != set(described["inputs"]):
            text = f"input alias: expected {set(described['inputs'])}, received {set(inputs)}"
            raise CError(INVALID_ARGUMENT, text)
        return self.session.run(signature or "serving_default", inputs)

    def signature_defs(self) -> Mapping[str, Any]:
        """From the MetaGraphDef."""
        graph = meta_graph_pb2.MetaGraphDef.FromString(self.session.meta_graph)
        return graph.signature_def
