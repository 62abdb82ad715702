"""A SavedModel that was made smaller computes what it did, gradients included."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from gddim_tf.serving.slim import slim


class Saved(tf.Module):
    """A weight in a loop whose body calls a function with a gradient of its own."""

    def __init__(self):
        self.weight = tf.Variable([0.5, -2.0])

    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def outer(self, x):
        with tf.name_scope("a_rather_long_name_of_a_scope"):
            steps = tf.constant(3)
            return tf.while_loop(
                lambda i, _: i < steps, lambda i, y: (i + 1, self.inner(y)), (0, x)
            )[1]

    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def inner(self, x):
        return _tripled(x * self.weight + tf.sin(x))


@tf.custom_gradient
def _tripled(x):
    doubled = 2.0 * x  # which the gradient captures
    return 3.0 * x, lambda upstream: upstream * doubled


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    full, thin = (tmp_path_factory.mktemp(name) / "model" for name in ("full", "thin"))
    module = Saved()
    for folder in (full, thin):
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
        tf.saved_model.save(module, str(folder), {"outer": module.outer}, options)
    slim(thin)
    return full, thin


def test_outputs_and_gradients_are_those_from_before(folders):
    x = tf.constant([[0.1, 0.2], [-0.7, 1.5]])
    found = []
    for folder in folders:
        loaded = tf.saved_model.load(str(folder))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = loaded.inner(x)
        signature = loaded.signatures["outer"](x=x)
        gradients = tape.gradient(y, [x, loaded.weight])
        found.append([*signature.values(), y, *gradients])
    for before, after in zip(*found, strict=True):
        np.testing.assert_array_equal(before, after)


def test_names_and_shapes_are_gone_from_every_function(folders):
    long_names, shapes = [], []
    for folder in folders:
        graph = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        functions = graph.meta_graphs[0].graph_def.library.function
        nodes = [node for function in functions for node in function.node_def]
        long_names.append(any(node.name.startswith("a_rather_long_name") for node in nodes))
        shapes.append(any("_output_shapes" in node.attr for node in nodes))
    assert long_names == shapes == [True, False]
    assert not (folders[1] / "fingerprint.pb").exists()
