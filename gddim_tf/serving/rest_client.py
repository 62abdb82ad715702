"""The client's REST: TF Serving's JSON over HTTP, with nothing but Python's library and NumPy."""

from __future__ import annotations

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import numpy as np

from gddim_tf.serving.client import Client, ServerUnavailable, Signature, Spec, telling

_DTYPES = {"DT_FLOAT": "float32", "DT_INT32": "int32", "DT_UINT8": "uint8", "DT_STRING": "object"}


class RestClient(Client):
    """A client over REST. See `Client`."""

    def _call_predict(
        self, signature: str, inputs: dict[str, np.ndarray], outputs: dict[str, Spec]
    ) -> dict[str, np.ndarray]:
        values = {name: value.tolist() for name, value in inputs.items()}
        answer = self._call(":predict", {"signature_name": signature, "inputs": values})["outputs"]
        if len(outputs) == 1:  # the server leaves the name of a single output out
            answer = {next(iter(outputs)): answer}
        return {name: _decoded(answer[name], spec) for name, spec in outputs.items()}

    def _call_metadata(self) -> dict[str, Signature]:
        answer = self._call("/metadata")
        signatures = answer["metadata"]["signature_def"]["signature_def"]
        return {
            name: Signature(_specs(definition["inputs"]), _specs(definition["outputs"]))
            for name, definition in signatures.items()
            if not name.startswith("__")
        }

    def _call_state(self) -> list[tuple[str, str]]:
        try:
            answer = self._send("")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise self._translated(error) from error
        return [
            (version["state"], version["status"].get("error_message", ""))
            for version in answer["model_version_status"]
        ]

    def _send(self, action: str, body: Any = None) -> Any:
        """What the server answers; `HTTPError` is left to the caller."""
        version = "" if self.version is None else f"/versions/{self.version}"
        model = urllib.parse.quote(self.model, safe="")
        url = f"http://{self.address}/v1/models/{model}{version}{action}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self.deadline) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except (TimeoutError, urllib.error.URLError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise self._late() from error
            raise ServerUnavailable(f"no server answers at {self.address}: {reason}") from error
        except (http.client.HTTPException, json.JSONDecodeError) as error:
            raise OSError(
                f"{self.address} does not answer as the REST port of TF Serving does (8501, where "
                "gRPC is at 8500)"
            ) from error

    def _call(self, action: str, body: Any = None) -> Any:
        try:
            return self._send(action, body)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                raise self._missing() from error
            raise self._translated(error) from error

    def _late(self) -> Exception:
        return TimeoutError(f"no answer from {self.address} within {self.deadline:g} seconds")

    def _translated(self, error: urllib.error.HTTPError) -> Exception:
        text = error.read().decode(errors="replace")
        try:
            message = json.loads(text)["error"]
        except (ValueError, KeyError, TypeError):  # a proxy's page, say
            message = text
        if error.code == 400:
            return ValueError(telling(message))
        if error.code == 503:
            return ServerUnavailable(f"{self.address} is not ready: {message}")
        if error.code == 504:
            return self._late()
        return OSError(f"{self.address} answered {error.code}: {message}")


def _specs(tensors: dict[str, Any]) -> dict[str, Spec]:
    specs = {}
    for name, info in tensors.items():
        shape = info["tensor_shape"]
        dims = None if shape["unknown_rank"] else tuple(int(d["size"]) for d in shape["dim"])
        specs[name] = Spec(np.dtype(_DTYPES[info["dtype"]]), dims)
    return specs


def _decoded(value: Any, spec: Spec) -> np.ndarray:
    if spec.dtype != object:
        return np.asarray(value, spec.dtype)
    return np.array([base64.b64decode(item["b64"]) for item in value], object)
