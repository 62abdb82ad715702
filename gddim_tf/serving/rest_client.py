"""The client's REST: TF Serving's JSON over HTTP, with nothing but Python's library and NumPy."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.parse
from typing import Any

import numpy as np

from gddim_tf.serving.client import Client
from gddim_tf.serving.errors import ServerUnavailable, WrongAnswer, telling
from gddim_tf.serving.http_call import Answer, http_call
from gddim_tf.serving.rest_json import read_signatures
from gddim_tf.serving.signature import Signature, Spec, batch_of, converted, largest_size

# What TF Serving may write for one number, in bytes and in commas and brackets, and numbers that
# leave room for the rest.
_BYTES, _MARKS, _FURTHER = 32, 8, 1000
# Signatures, states and error messages.
_LONGEST_DESCRIPTION = 4 * 2**20


class RestClient(Client):
    """A client over REST. See `Client`."""

    def _call_predict(
        self, signature: str, inputs: dict[str, np.ndarray], outputs: dict[str, Spec]
    ) -> dict[str, np.ndarray]:
        values = {name: value.tolist() for name, value in inputs.items()}
        size = largest_size(outputs, batch_of(inputs))
        strings = any(spec.dtype == object for spec in outputs.values())
        longest = self.largest_answer
        if size is not None and not strings:
            longest = min(longest, (size + _FURTHER) * _BYTES)
        body = {"signature_name": signature, "inputs": values}
        content = self._call(":predict", body, longest)
        with self._understood():
            marks = sum(content.count(mark) for mark in (b"[", b"{", b","))
            if size is not None and marks > (size + _FURTHER) * _MARKS:
                raise ValueError  # a list of empty lists takes twenty times its bytes in memory
            answer = json.loads(content)["outputs"]
            if len(outputs) == 1:  # the server leaves the name of a single output out
                answer = {next(iter(outputs)): answer}
            return {name: _decoded(name, answer[name], spec) for name, spec in outputs.items()}

    def _call_metadata(self) -> dict[str, Signature]:
        content = self._call("/metadata")
        with self._understood():
            answer = json.loads(content)
            signatures = answer["metadata"]["signature_def"]["signature_def"]
            return read_signatures(signatures)

    def _call_state(self) -> list[tuple[str, str]]:
        answer = self._send("", None, _LONGEST_DESCRIPTION)
        if answer.code == 404:
            return []
        if answer.code != 200:
            raise self._translated(answer)
        with self._understood():
            return [
                (telling(version["state"]), telling(version["status"].get("error_message", "")))
                for version in json.loads(answer.body)["model_version_status"]
            ]

    def _call(
        self, action: str, body: dict[str, Any] | None = None, longest: int = _LONGEST_DESCRIPTION
    ) -> bytes:
        answer = self._send(action, body, longest)
        if answer.code == 404:
            raise self._missing()
        if answer.code != 200:
            raise self._translated(answer)
        return answer.body

    def _send(self, action: str, body: dict[str, Any] | None, longest: int) -> Answer:
        version = "" if self.version is None else f"/versions/{self.version}"
        model = urllib.parse.quote(self.model, safe="")
        try:
            return http_call(
                self._host,
                self._port,
                f"/v1/models/{model}{version}{action}",
                None if body is None else json.dumps(body).encode(),
                {**self.access.headers(), "Content-Type": "application/json"},
                context=self.access.context(),
                deadline=self.deadline,
                largest=longest,
            )
        except WrongAnswer:
            raise
        except TimeoutError as error:
            raise self._late() from error
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message
            raise OSError(f"{self.address} is not to be trusted: {reason}") from error
        except ssl.SSLError as error:
            raise OSError(f"{self.address} does not speak TLS: {error.reason}") from error
        except OSError as error:
            raise ServerUnavailable(f"no server answers at {self.address}: {error}") from error
        except http.client.HTTPException as error:
            raise WrongAnswer(
                f"{self.address} does not answer as the REST port of TF Serving does (8501, where "
                "gRPC is at 8500)"
            ) from error

    def _translated(self, answer: Answer) -> Exception:
        text = answer.body.decode(errors="replace")
        try:
            message = str(json.loads(text)["error"])
        except (ValueError, KeyError, TypeError, RecursionError):  # a proxy's page, say
            message = text
        if answer.code == 400:
            return ValueError(telling(message))
        if answer.code in (401, 403):
            return PermissionError(f"{self.address} refuses this client: {telling(message)}")
        if answer.code == 503:
            return ServerUnavailable(f"{self.address} is not ready: {telling(message)}")
        if answer.code == 504:
            return self._late()
        return OSError(f"{self.address} answered {answer.code}: {telling(message)}")


def _decoded(name: str, value: Any, spec: Spec) -> np.ndarray:
    if spec.dtype == object:
        files = [base64.b64decode(item["b64"], validate=True) for item in value]
        array = np.empty(len(files), object)
        array[:] = files
        return array
    array = converted(value, spec.dtype)
    if array is None:
        received = np.asarray(value).dtype.name
        raise WrongAnswer(f"`{name}` of the answer must be {spec.dtype.name}, received {received}")
    return array
