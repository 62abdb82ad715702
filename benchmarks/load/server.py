"""A small server for load tests: TF Serving's protocols over one loaded SavedModel.

This is not TF Serving. It speaks the same gRPC services (the classes that tensorflow-serving-api
generates from TF Serving's own definitions) and the same JSON, and runs the model through the C
loader that TF Serving uses (`c_session.py`). It has no batching, no versions and no warm-up.

As a process: `python -m benchmarks.load.server PATH NAME` prints its addresses as one line of JSON
and serves until its standard input ends.
"""

from __future__ import annotations

import base64
import http.server
import json
import ssl
import sys
import threading
import urllib.parse
from collections.abc import Callable
from concurrent import futures
from typing import Any, Self

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from benchmarks.load.c_session import CError, CSession
from benchmarks.load.loaded_model import (
    INVALID_ARGUMENT,
    NOT_FOUND,
    UNAUTHENTICATED,
    UNAVAILABLE,
    LoadedModel,
)

_HTTP = {INVALID_ARGUMENT: 400, NOT_FOUND: 404, UNAVAILABLE: 503, UNAUTHENTICATED: 401}
_GRPC = {code.value[0]: code for code in grpc.StatusCode}


def _aborting(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        metadata = dict(context.invocation_metadata())
        self.model.metadata.append(metadata)
        try:
            self.model.check_token(metadata)
            return method(self, request)
        except CError as error:
            context.abort(_GRPC[error.code], str(error))

    return call


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model: LoadedModel) -> None:
        self.model = model

    @_aborting
    def Predict(self, request: Any) -> Any:
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        spec, answer = request.model_spec, predict_pb2.PredictResponse()
        for name, value in self.model.predict(spec.name, spec.signature_name, inputs).items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return answer

    @_aborting
    def GetModelMetadata(self, request: Any) -> Any:
        self.model.check(request.model_spec.name)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in self.model.signature_defs().items():
            signatures.signature_def[name].CopyFrom(definition)
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.metadata["signature_def"].Pack(signatures)
        return answer


class _Status(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, model: LoadedModel) -> None:
        self.model = model

    @_aborting
    def GetModelStatus(self, request: Any) -> Any:
        state = self.model.state(request.model_spec.name)
        number = get_model_status_pb2.ModelVersionStatus.State.Value(state)
        status = get_model_status_pb2.ModelVersionStatus(version=1, state=number)
        return get_model_status_pb2.GetModelStatusResponse(model_version_status=[status])


class _Rest(http.server.BaseHTTPRequestHandler):
    model: LoadedModel  # set by the server

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self, method: Callable[[], dict[str, Any]]) -> None:
        metadata = {name.lower(): value for name, value in self.headers.items()}
        self.model.metadata.append(metadata)
        try:
            self.model.check_token(metadata)
            code, answer = 200, method()
        except CError as error:
            code, answer = _HTTP.get(error.code, 500), {"error": str(error)}
        content = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _get(self) -> dict[str, Any]:
        path = urllib.parse.unquote(self.path)
        name, _, rest = path.removeprefix("/v1/models/").partition("/")
        if rest != "metadata":
            state = {"version": "1", "state": self.model.state(name)}
            status = {"error_code": "OK", "error_message": ""}
            return {"model_version_status": [{**state, "status": status}]}
        self.model.check(name)
        definitions = {
            name: {
                kind: {n: _tensor_json(info) for n, info in getattr(definition, kind).items()}
                for kind in ("inputs", "outputs")
            }
            for name, definition in self.model.signature_defs().items()
        }
        return {"metadata": {"signature_def": {"signature_def": definitions}}}

    def _post(self) -> dict[str, Any]:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urllib.parse.unquote(self.path)
        name = path.removeprefix("/v1/models/").removesuffix(":predict")
        signature = body.get("signature_name", "serving_default")
        columns, by_row = body.get("inputs"), "instances" in body
        if by_row:
            columns = {key: [row[key] for row in body["instances"]] for key in body["instances"][0]}
        dtypes = self.model.session.signatures[signature]["inputs"]
        codes = {1: np.float32, 3: np.int32, 4: np.uint8}
        inputs = {key: np.array(value, codes[dtypes[key][1]]) for key, value in columns.items()}
        outputs = self.model.predict(name, signature, inputs)
        values = {key: _value_json(value) for key, value in outputs.items()}
        single = next(iter(values.values())) if len(values) == 1 else None
        if not by_row:
            return {"outputs": values if single is None else single}
        rows = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
        return {"predictions": rows if single is None else single}


def _tensor_json(info: Any) -> dict[str, Any]:
    dims = [{"size": str(dim.size), "name": ""} for dim in info.tensor_shape.dim]
    shape = {"dim": dims, "unknown_rank": info.tensor_shape.unknown_rank}
    dtype = tf.as_dtype(info.dtype).as_datatype_enum if info.dtype else 0
    name = {1: "DT_FLOAT", 3: "DT_INT32", 4: "DT_UINT8", 7: "DT_STRING"}.get(dtype, "DT_INVALID")
    return {"dtype": name, "tensor_shape": shape, "name": info.name}


def _value_json(value: np.ndarray) -> list[Any]:
    if value.dtype == object:
        return [{"b64": base64.b64encode(item).decode()} for item in value]
    return value.tolist()


class Server:
    """Both protocols on free ports of this machine, while the context lasts.

    With `certificate` (of trustme) they speak TLS.
    """

    def __init__(
        self, session: CSession, name: str, certificate: Any = None, **pretended: Any
    ) -> None:
        self.model = LoadedModel(session, name, **pretended)
        options = [("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)]
        self._grpc = grpc.server(futures.ThreadPoolExecutor(8), options=options)
        prediction = prediction_service_pb2_grpc
        prediction.add_PredictionServiceServicer_to_server(_Prediction(self.model), self._grpc)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Status(self.model), self._grpc)
        handler = type("Handler", (_Rest,), {"model": self.model})
        self._rest = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if certificate is None:
            port = self._grpc.add_insecure_port("127.0.0.1:0")
        else:
            key, chain = certificate.private_key_pem, certificate.cert_chain_pems
            pair = (key.bytes(), b"".join(pem.bytes() for pem in chain))
            port = self._grpc.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(context)
            self._rest.socket = context.wrap_socket(self._rest.socket, server_side=True)
        self.addresses = {
            "grpc": f"127.0.0.1:{port}",
            "rest": f"127.0.0.1:{self._rest.server_port}",
        }

    def __enter__(self) -> Self:
        self._grpc.start()
        self._thread = threading.Thread(target=self._rest.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._grpc.stop(None).wait()
        self._rest.shutdown()
        self._thread.join()
        self._rest.server_close()


if __name__ == "__main__":
    with Server(CSession(sys.argv[1]), sys.argv[2]) as running:
        print(json.dumps(running.addresses), flush=True)
        sys.stdin.read()
