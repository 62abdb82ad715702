"""The client's gRPC: TF Serving's PredictionService and ModelService."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np

from gddim_tf.serving.client import Client
from gddim_tf.serving.errors import ServerUnavailable, WrongAnswer, telling
from gddim_tf.serving.signature import Signature, Spec, batch_of, check_shape


class GrpcClient(Client):
    """A client over gRPC; needs the extra `serving`. See `Client`.

    Raises:
      ImportError: without the extra.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if importlib.util.find_spec("tensorflow_serving") is None:
            raise ImportError('gRPC needs pip install "gddim_tf[serving]"; REST works without')
        from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

        self._channel = self._open_channel()
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def close(self) -> None:
        """Close the channel; the client is of no use afterwards."""
        self._channel.close()

    def _open_channel(self) -> Any:
        import grpc

        # the default of gRPC, 4 MB, is less than a batch of images can be
        lengths = ("grpc.max_send_message_length", "grpc.max_receive_message_length")
        options = [(length, self.largest_answer) for length in lengths]
        if not self.access.tls:
            return grpc.insecure_channel(self.address, options)
        credentials = grpc.ssl_channel_credentials(self.access.certificates())
        return grpc.secure_channel(self.address, credentials, options)

    def _call_predict(
        self, signature: str, inputs: dict[str, np.ndarray], outputs: dict[str, Spec]
    ) -> dict[str, np.ndarray]:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        answer, rows = self._call(self._prediction.Predict, request).outputs, batch_of(inputs)
        return {
            name: self._array(name, answer[name], spec, rows)
            for name, spec in outputs.items()
            if name in answer
        }

    def _array(self, name: str, value: Any, spec: Spec, rows: int | None) -> np.ndarray:
        """An output, if its shape is the one asked for; a few bytes can state a vast one."""
        import tensorflow as tf

        shape = tuple(dim.size for dim in value.tensor_shape.dim)
        check_shape(name, spec, shape, rows)
        if math.prod(shape) * spec.dtype.itemsize > self.largest_answer:
            raise WrongAnswer(f"`{name}` of the answer is too large, it has shape {list(shape)}")
        with self._understood():
            return tf.make_ndarray(value)

    def _call_metadata(self) -> dict[str, Signature]:
        from google.protobuf.message import DecodeError
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        answer = self._call(self._prediction.GetModelMetadata, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        with self._understood():
            try:
                answer.metadata["signature_def"].Unpack(signatures)
            except DecodeError as error:
                raise ValueError from error
            return {
                name: Signature(_specs(definition.inputs), _specs(definition.outputs))
                for name, definition in signatures.signature_def.items()
                if not name.startswith("__")
            }

    def _call_state(self) -> list[tuple[str, str]]:
        import grpc
        from tensorflow_serving.apis import get_model_status_pb2

        request = get_model_status_pb2.GetModelStatusRequest()
        try:
            answer = self._send(self._models.GetModelStatus, request)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return []
            raise self._translated(error) from error
        states = get_model_status_pb2.ModelVersionStatus.State
        with self._understood():
            return [
                (states.Name(version.state), telling(version.status.error_message))
                for version in answer.model_version_status
            ]

    def _send(self, method: Any, request: Any) -> Any:
        request.model_spec.name = self.model
        if self.version is not None:
            request.model_spec.version.value = self.version
        metadata = tuple(self.access.headers().items())
        return method(request, timeout=self.deadline, metadata=metadata)

    def _call(self, method: Any, request: Any) -> Any:
        import grpc

        try:
            return self._send(method, request)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise self._missing() from error
            raise self._translated(error) from error

    def _translated(self, error: Any) -> Exception:
        import grpc

        code, details = error.code(), telling(error.details() or "")
        if "CERTIFICATE_VERIFY_FAILED" in details or "Hostname Verification" in details:
            return OSError(f"{self.address} is not to be trusted: {details}")
        if code is grpc.StatusCode.UNAVAILABLE:
            if "Failed parsing HTTP/2" in details:
                details = "it speaks HTTP, for which the protocol is rest"
            return ServerUnavailable(f"no server answers at {self.address}: {details}")
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return self._late()
        if code is grpc.StatusCode.INVALID_ARGUMENT:
            return ValueError(details)
        if code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            return PermissionError(f"{self.address} refuses this client: {details}")
        return OSError(f"{self.address} answered {code.name}: {details}")


def _specs(tensors: Any) -> dict[str, Spec]:
    import tensorflow as tf

    specs = {}
    for name, info in tensors.items():
        shape = info.tensor_shape
        dims = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
        specs[name] = Spec(np.dtype(tf.as_dtype(info.dtype).as_numpy_dtype), dims)
    return specs
