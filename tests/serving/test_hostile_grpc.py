"""What a client does with wrong and vast answers over gRPC."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

from gddim_tf import serving
from tests.serving.scripted import ScriptedPrediction, peak_kilobytes

GOOD = np.arange(128, dtype=np.uint8).reshape(2, 8, 8, 1)


def described(dtype=types_pb2.DT_UINT8, dims=(-1, 8, 8, 1)):
    signatures = get_model_metadata_pb2.SignatureDefMap()
    definition = signatures.signature_def["serving_default"]
    definition.inputs["seed"].dtype = types_pb2.DT_INT32
    definition.inputs["seed"].tensor_shape.unknown_rank = True
    definition.outputs["image"].dtype = dtype
    for size in dims:
        definition.outputs["image"].tensor_shape.dim.add(size=size)
    answer = get_model_metadata_pb2.GetModelMetadataResponse()
    answer.metadata["signature_def"].Pack(signatures)
    return answer


def answered(image):
    answer = predict_pb2.PredictResponse()
    if image is not None:
        answer.outputs["image"].CopyFrom(image)
    return answer


def stated(*dims, dtype=types_pb2.DT_UINT8, **values):
    """A tensor that states a shape, whatever it holds."""
    tensor = tensor_pb2.TensorProto(dtype=dtype, **values)
    for size in dims:
        tensor.tensor_shape.dim.add(size=size)
    return tensor


@pytest.mark.parametrize(
    "image",
    [
        None,
        tf.make_tensor_proto(GOOD[:1]),
        tf.make_tensor_proto(np.zeros((5, 8, 8, 1), np.uint8)),
        tf.make_tensor_proto(GOOD.astype(np.float32)),
        tf.make_tensor_proto(GOOD[..., 0]),
        stated(2, 8, 8, 1, tensor_content=b"short"),
        stated(2, 8, 8, 1, dtype=99),
        stated(2, 8, 8, 1, dtype=types_pb2.DT_VARIANT),
        stated(2, 8, 8, 1, dtype=types_pb2.DT_STRING, string_val=[b"a"] * 128),
        stated(65536, 32768, int_val=[1]),
        stated(-2, -8, 8, 1, int_val=[1]),
    ],
)
def test_a_tensor_that_the_signature_does_not_have(image):
    with ScriptedPrediction(described(), answered(image)) as server:
        client = serving.connect(server.address, "m", wait=0, deadline=5)
        before = peak_kilobytes()
        with pytest.raises(serving.WrongAnswer):
            client.sample(2)
        assert peak_kilobytes() - before < 50_000


def test_a_vast_tensor_that_the_signature_does_have():
    huge = answered(stated(1, 65536, 32768, 1, int_val=[1]))
    with ScriptedPrediction(described(dims=(-1, 65536, 32768, 1)), huge) as server:
        client = serving.connect(server.address, "m", wait=0, deadline=5)
        before = peak_kilobytes()
        with pytest.raises(serving.WrongAnswer, match=r"`image` of the answer is too large"):
            client.sample(1)
        assert peak_kilobytes() - before < 50_000


def test_a_grpc_description_that_is_none():
    packed = get_model_metadata_pb2.GetModelMetadataResponse()
    packed.metadata["signature_def"].type_url = "x/tensorflow.serving.SignatureDefMap"
    packed.metadata["signature_def"].value = b"\xff\xff\xff"
    for answer in (packed, described(dtype=99), get_model_metadata_pb2.GetModelMetadataResponse()):
        with ScriptedPrediction(answer, answered(None)) as server:
            client = serving.connect(server.address, "m", wait=0, deadline=5)
            with pytest.raises((serving.WrongAnswer, ValueError)):
                client.sample(1)
