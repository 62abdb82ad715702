"""Requests that TF Serving plays to a new version before it answers anyone with it."""

from __future__ import annotations

import importlib.util
import pathlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

FILE = "tf_serving_warmup_requests"


def write_warmup(
    folder: pathlib.Path,
    model_name: str,
    functions: dict[str, Any],
    batch_sizes: Sequence[int],
    jit_compile: bool,
    values: dict[str, float],
) -> None:
    """Write `tf_serving_warmup_requests`: records of PredictionLog, one per request.

    `serving_default` is called at every batch size and the other signatures at the smallest one;
    all of them at every size if loops are compiled by XLA, which does so once per size.

    Needs the extra `serving`; without it there is a warning and no file.

    Args:
      folder: `assets.extra` of the version.
      model_name: under which the server knows the model.
      functions: the signatures, by name.
      batch_sizes: in increasing order.
      jit_compile: whether the loops were exported for XLA.
      values: of inputs for which 0 is not one; the others are 0.
    """
    if importlib.util.find_spec("tensorflow_serving") is None:
        message = "no warm-up requests are written: pip install 'gddim_tf[serving]' to have them"
        warnings.warn(message, stacklevel=3)
        return
    with tf.io.TFRecordWriter(str(folder / FILE)) as writer:
        for name, size in _calls(functions, batch_sizes, jit_compile):
            writer.write(_record(model_name, name, functions[name], size, values))


def _calls(
    functions: dict[str, Any], batch_sizes: Sequence[int], jit_compile: bool
) -> Iterator[tuple[str, int]]:
    for name in functions:
        everywhere = jit_compile or name == "serving_default"
        for size in batch_sizes if everywhere else batch_sizes[:1]:
            yield name, size


def _record(model_name: str, signature: str, function: Any, size: int, values: dict) -> bytes:
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature
    for name, spec in function.structured_input_signature[1].items():
        shape = [size, *([] if spec.shape.rank is None else spec.shape[1:])]
        value = np.full(shape, values.get(name, 0), spec.dtype.as_numpy_dtype)
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    log = prediction_log_pb2.PredictLog(request=request)
    return prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString()
