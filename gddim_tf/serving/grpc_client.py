"""The client's gRPC: TF Serving's PredictionService and ModelService."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from gddim_tf.serving.client import Client, ServerUnavailable, Signature, Spec, telling

# The default of gRPC, 4 MB, is less than a batch of images can be.
LARGEST_MESSAGE = 256 * 2**20


class GrpcClient(Client):
    """A client over gRPC; needs the extra `serving`. See `Client`.

    Raises:
      ImportError: without the extra.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if importlib.util.find_spec("tensorflow_serving") is None:
            raise ImportError('gRPC needs pip install "gddim_tf[serving]"; REST works without')
        import grpc
        from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

        lengths = ("grpc.max_send_message_length", "grpc.max_receive_message_length")
        options = [(length, LARGEST_MESSAGE) for length in lengths]
        self._channel = grpc.insecure_channel(self.address, options)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def close(self) -> None:
        """Close the channel; the client is of no use afterwards."""
        self._channel.close()

    def _call_predict(
        self, signature: str, inputs: dict[str, np.ndarray], outputs: dict[str, Spec]
    ) -> dict[str, np.ndarray]:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        answer = self._call(self._prediction.Predict, request)
        return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}

    def _call_metadata(self) -> dict[str, Signature]:
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        answer = self._call(self._prediction.GetModelMetadata, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(signatures)
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
        return [
            (states.Name(version.state), version.status.error_message)
            for version in answer.model_version_status
        ]

    def _send(self, method: Any, request: Any) -> Any:
        request.model_spec.name = self.model
        if self.version is not None:
            request.model_spec.version.value = self.version
        return method(request, timeout=self.deadline)

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

        code, details = error.code(), error.details()
        if code is grpc.StatusCode.UNAVAILABLE:
            return ServerUnavailable(f"no server answers at {self.address}: {details}")
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return TimeoutError(f"no answer from {self.address} within {self.deadline:g} seconds")
        if code is grpc.StatusCode.INVALID_ARGUMENT:
            return ValueError(telling(details))
        return OSError(f"{self.address} answered {code.name}: {details}")


def _specs(tensors: Any) -> dict[str, Spec]:
    import tensorflow as tf

    specs = {}
    for name, info in tensors.items():
        shape = info.tensor_shape
        dims = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
        specs[name] = Spec(np.dtype(tf.as_dtype(info.dtype).as_numpy_dtype), dims)
    return specs
