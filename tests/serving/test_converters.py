"""`denoise` and `decode` in other runtimes, as docs/deploying.md converts them."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import sdes, serving
from gddim_tf.models import DiffusionModel
from gddim_tf.models.prediction import PREDICTIONS, output_components, prediction_of
from gddim_tf.samplers import GDDIM
from gddim_tf.serving.graphs import Graphs
from tests.conftest import OwnNetwork, tiny_model
from tests.serving.conftest import CLASSES, labelled_model

MODELS = {
    "network": lambda: tiny_model(num_classes=CLASSES),
    "VP": labelled_model,
    "CLD": lambda: labelled_model(sdes.CLD()),
    "BDM": lambda: labelled_model(sdes.BDM(8)),
    "PSLD": lambda: labelled_model(sdes.PSLD()),
}
SIGNATURES = ("denoise", "decode")
# Operations that OpenVINO or ONNX lack, from graphs that they refused.
LACKING = {"MatrixDiagPartV3", "MatrixDiagV3", "MatrixInverse", "MatrixDeterminant", "Qr"}
LACKING |= {"TensorListReserve", "TensorListFromTensor", "TensorListSetItem"}


def operations(graph):
    """The kinds of operations of a graph and of all functions that it knows."""
    definition = graph.as_graph_def()
    bodies = (function.node_def for function in definition.library.function)
    return {node.op for nodes in (definition.node, *bodies) for node in nodes}


@pytest.mark.parametrize("name", ["VP", "CLD", "BDM", "PSLD"])
def test_signatures_have_no_operation_that_converters_lack(name):
    model = MODELS[name]()
    signatures = Graphs(model, {"sample_4": (GDDIM(order=2), 4)}, 8, False).signatures()
    for signature in SIGNATURES:
        assert not operations(signatures[signature].graph) & LACKING


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_no_prediction_has_one(kind):
    sde = sdes.VPSDE() if kind == "flow" else sdes.CLD()
    channels = output_components(kind, sde)

    def eps(u, t, output):
        prediction = prediction_of(kind, sde, u, t)
        return prediction.inputs(), prediction.eps(output)

    shapes = ([None, 2, 2, sde.components], [None], [None, 2, 2, channels])
    graph = tf.function(eps).get_concrete_function(*map(tf.TensorSpec, shapes)).graph
    assert not operations(graph) & LACKING


@pytest.fixture(scope="module")
def openvino():
    return pytest.importorskip("openvino", reason="the extra `runtimes` is not installed")


@pytest.fixture(scope="module")
def onnxruntime():
    return pytest.importorskip("onnxruntime", reason="the extra `runtimes` is not installed")


@pytest.fixture(scope="module", params=["network", "CLD", "BDM"])
def loaded(request, tmp_path_factory):
    """The functions of an export by name, and what they are asked."""
    model = MODELS[request.param]()
    directory = tmp_path_factory.mktemp("served") / request.param
    path = serving.export(model, directory, {"sample_4": (GDDIM(order=2), 4)}, batch_sizes=(1,))
    random = np.random.default_rng(0)
    state = random.standard_normal((3, 8, 8, model.sde.components)).astype(np.float32)
    label, time = np.array([0, 1, CLASSES], np.int32), np.float32([0.1, 0.5, 0.9])
    asked = {
        "denoise": {"state": state, "time": time, "label": label},
        "decode": {"state": state, "label": label, "guidance": np.float32([2, 2, 2])},
    }
    return tf.saved_model.load(str(path)), asked


def assert_same(signature, received, function, inputs):
    """Equal within 1e-5, or a rounding of a grey level."""
    expected = function(**{name: tf.constant(value) for name, value in inputs.items()})
    (expected,) = (value.numpy() for value in expected.values())
    assert np.shape(received) == expected.shape and expected.astype(float).std() > 0.1
    gap = np.abs(np.asarray(received, np.float64) - expected)
    assert gap.max() <= (1e-5 if signature == "denoise" else 1)
    assert (gap > 1e-5).mean() < 0.02


@pytest.mark.parametrize("signature", SIGNATURES)
def test_openvino(openvino, loaded, signature):
    model, asked = loaded
    function, inputs = model.signatures[signature], asked[signature]
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(openvino.convert_model(function), "CPU", exact)
    (received,) = compiled(inputs).values()
    assert_same(signature, received, function, inputs)


@pytest.mark.parametrize(("name", "tolerance"), [("VP", 1e-5), ("CLD", 1e-4), ("BDM", 5e-4)])
def test_openvino_runs_the_loop_as_tensorflow_does(openvino, name, tolerance):
    """Before the rounding to grey levels; near the data the last two magnify that of float32."""
    model = MODELS[name]()
    graphs = Graphs(model, {"sample_4": (GDDIM(order=2), 4)}, 8, False)
    shape = (8, 8, model.sde.components)

    def decoded(state, label, guidance):
        told = {"label": label, "guidance": guidance}
        return model.sde.to_images(graphs.run(graphs.budgets.decoding, state, None, told))

    function = tf.function(decoded, autograph=False).get_concrete_function(
        tf.TensorSpec([None, *shape], name="state"),
        tf.TensorSpec([None], tf.int32, "label"),
        tf.TensorSpec([None], name="guidance"),
    )
    state = np.random.default_rng(0).standard_normal((3, *shape)).astype(np.float32)
    inputs = [state, np.array([0, 1, CLASSES], np.int32), np.float32([2, 2, 2])]
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(openvino.convert_model(function), "CPU", exact)
    names = ("state", "label", "guidance")
    (received,) = compiled(dict(zip(names, inputs, strict=True))).values()
    expected = function(*map(tf.constant, inputs))
    np.testing.assert_allclose(received, expected, atol=tolerance)


@pytest.mark.parametrize(
    "signature",
    [
        "denoise",
        pytest.param(
            "decode",
            marks=[
                pytest.mark.slow,
                pytest.mark.xfail(reason="tf2onnx knows no shapes in branches of a loop"),
            ],
        ),
    ],
)
def test_onnx(onnxruntime, loaded, signature):
    from tf2onnx.convert import from_function

    model, asked = loaded
    function, inputs = model.signatures[signature], asked[signature]
    specs = [
        tf.TensorSpec(spec.shape, spec.dtype, name)
        for name, spec in function.structured_input_signature[1].items()
    ]
    names = [spec.name for spec in specs]

    def call(*tensors):
        return function(**dict(zip(names, tensors, strict=True)))

    graph, _ = from_function(tf.function(call, specs, autograph=False), specs, opset=18)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    (received,) = session.run(None, inputs)
    assert_same(signature, received, function, inputs)


@pytest.mark.slow
@pytest.mark.parametrize("sde", [sdes.VPSDE(), sdes.CLD(), sdes.BDM(8)], ids=["VP", "CLD", "BDM"])
def test_onnx_runs_the_loop_of_a_model_without_classes(onnxruntime, sde, tmp_path):
    """Which has no branches for guidance, inside of which tf2onnx knows no shapes."""
    model = DiffusionModel(OwnNetwork(sde.components), sde, "v")
    path = serving.export(model, tmp_path / "served", {"sample_4": (GDDIM(order=2), 4)})
    converter = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", path]
    asked = ["--signature_def", "decode", "--opset", "18", "--output", tmp_path / "decode.onnx"]
    subprocess.run([*converter, *asked], check=True, capture_output=True)
    session = onnxruntime.InferenceSession(tmp_path / "decode.onnx")
    random = np.random.default_rng(0)
    state = random.standard_normal((3, 8, 8, sde.components)).astype(np.float32)
    (received,) = session.run(None, {session.get_inputs()[0].name: state})
    function = tf.saved_model.load(str(path)).signatures["decode"]
    assert_same("decode", received, function, {"state": state})
