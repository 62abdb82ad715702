"""Warm-up requests and configuration, read by the classes of TF Serving's protocol buffers."""

import sys

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.apis import prediction_log_pb2
from tensorflow_serving.config import model_server_config_pb2

from benchmarks.load.c_session import CSession
from gddim_tf import serving
from gddim_tf.data import to_uint8
from gddim_tf.samplers import DDIM
from tests.conftest import own_model
from tests.serving.conftest import assert_same_images, labelled_model

# Stochastic, so that there are fewer to export: none that encodes, decodes or edits.
SIGNATURES = {"sample_1": (DDIM(eta=1.0), 1)}


def warmup(version):
    """(signature, batch, inputs) of every record."""
    file = version / "assets.extra" / "tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        assert request.model_spec.name == version.parent.name
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        batches = {len(value) for value in inputs.values()}
        assert len(batches) == 1
        yield request.model_spec.signature_name, batches.pop(), inputs


def test_warm_up_requests_are_answered(served):
    session = CSession(served.path)
    requests = list(warmup(served.path))
    for signature, batch, inputs in requests:
        answer = session.run(signature, inputs)
        assert all(len(value) == batch for value in answer.values())
    sizes = {(signature, batch) for signature, batch, _ in requests}
    everywhere = {("serving_default", 1), ("serving_default", 4)}
    assert sizes == everywhere | {(name, 1) for name in session.signatures}


def test_with_xla_every_shape_is_compiled_before_the_first_request(tmp_path):
    options = {"batch_sizes": (1, 2), "jit_compile": True}
    model = labelled_model()
    version = serving.export(model, tmp_path / "m", {"sample_2": (DDIM(), 2)}, **options)
    sizes = {(signature, batch) for signature, batch, _ in warmup(version)}
    loaded = tf.saved_model.load(str(version))
    assert sizes == {(name, batch) for name in loaded.signatures for batch in (1, 2)}
    inputs = {"seed": [[0, 0], [0, 1]], "label": [0, 2], "guidance": [3.0, 3.0]}
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    image = loaded.signatures["sample_2"](**inputs)["image"]
    expected = model.sample(2, DDIM(), 2, labels=[0, 2], guidance=3.0)
    assert_same_images(image, np.asarray(to_uint8(expected)))
    graph = (version / "saved_model.pb").read_bytes()
    assert b"_XlaMustCompile" in graph


def test_without_the_extra_there_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorflow_serving"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.warns(UserWarning, match=r"no warm-up requests .* 'gddim_tf\[serving\]'"):
        version = serving.export(own_model(), tmp_path / "m", SIGNATURES)
    assert [path.name for path in (version / "assets.extra").iterdir()] == ["gddim_tf.json"]


def _message(name, **fields):
    """A message class with these fields, number and type as TF Serving's .proto files have them."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package="test", syntax="proto3")
    file.dependency.append("google/protobuf/wrappers.proto")
    messages = {name: file.message_type.add(name=name)}
    for field, (number, kind, message) in fields.items():
        owner, _, field = field.rpartition("__")
        target = messages.setdefault(owner or name, None) or file.message_type.add(name=owner)
        messages[owner or name] = target
        added = target.field.add(name=field, number=number, type=kind, label=1)
        if message:
            added.type_name = message
        if field == "allowed_batch_sizes":
            added.label = 3
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{name}"))()


def test_the_configuration_is_what_the_server_reads(served):
    directory = served.path.parent
    models = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((directory / "models.config").read_text(), models)
    (model,) = models.model_config_list.config
    assert (model.name, model.base_path) == ("shades", "/models/shades")
    assert model.model_platform == "tensorflow"
    int64, text, boolean, message = 3, 9, 8, 11
    number = ".google.protobuf.Int64Value"
    batching = _message(  # session_bundle_config.proto
        "BatchingParameters",
        max_batch_size=(1, message, number),
        batch_timeout_micros=(2, message, number),
        max_enqueued_batches=(3, message, number),
        num_batch_threads=(4, message, number),
        allowed_batch_sizes=(6, int64, None),
    )
    text_format.Parse((directory / "batching.config").read_text(), batching)
    assert list(batching.allowed_batch_sizes) == [1, 4]
    assert batching.max_batch_size.value == 4  # must be the last of them
    monitoring = _message(  # monitoring_config.proto
        "MonitoringConfig",
        PrometheusConfig__enable=(1, boolean, None),
        PrometheusConfig__path=(2, text, None),
        prometheus_config=(1, message, ".test.PrometheusConfig"),
    )
    text_format.Parse((directory / "monitoring.config").read_text(), monitoring)
    assert monitoring.prometheus_config.enable
    compose = (directory / "compose.yaml").read_text()
    for file in ("models.config", "batching.config", "monitoring.config"):
        assert f"_file=/models/shades/{file}" in compose
    assert ".:/models/shades:ro" in compose


def test_what_its_owner_changed_is_left_alone(tmp_path):
    directory = tmp_path / "m"
    serving.export(own_model(), directory, SIGNATURES)
    (directory / "batching.config").write_text("max_batch_size { value: 3 }\n")
    serving.export(own_model(), directory, SIGNATURES)
    assert (directory / "batching.config").read_text() == "max_batch_size { value: 3 }\n"


class Early(DDIM):
    """Edits begin in the first half of the noise only."""

    def table_from(self, sde, start, nfe):
        if start > 0.5:
            raise ValueError("`start` must be at most 0.5")
        return super().table_from(sde, start, nfe)


def test_a_warm_up_request_has_a_strength_at_which_an_edit_may_begin(tmp_path):
    signatures = {"sample_1": (Early(), 1)}
    version = serving.export(own_model(), tmp_path / "m", signatures, batch_sizes=(1,))
    strengths = [inputs["strength"] for _, _, inputs in warmup(version) if "strength" in inputs]
    np.testing.assert_allclose(strengths, [[0.4], [0.4]], rtol=1e-6)  # of edit and decode_from
