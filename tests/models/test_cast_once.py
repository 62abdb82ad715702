"""Weights cast to 16 bits once a loop."""

import keras
import numpy as np
import tensorflow as tf

from gddim_tf import sdes
from gddim_tf.models import DiffusionModel
from gddim_tf.samplers import GDDIM
from gddim_tf.samplers.loop import compiled_loop, loop_inputs
from gddim_tf.samplers.loop_inputs import Layout
from tests.conftest import FLAT, tiny_model

TABLE = GDDIM(order=1).table(sdes.VPSDE(), 3)


def body_of_the_loop(model):
    inputs = loop_inputs(TABLE, tf.zeros([2, 8, 8, 1]))
    graph = compiled_loop(model.eps, Layout.of(TABLE), inputs).graph
    names = [op.get_attr("body").name for op in graph.get_operations() if "While" in op.type]
    definitions = {f.signature.name: f for f in graph.as_graph_def().library.function}
    return [node.op for name in names for node in definitions[name].node_def]


def test_a_network_of_16_bits_reads_no_variable_inside_a_loop():
    assert "ReadVariableOp" not in body_of_the_loop(tiny_model(dtype="mixed_bfloat16", **FLAT))
    assert "ReadVariableOp" in body_of_the_loop(tiny_model(**FLAT))


def test_the_numbers_are_those_of_the_network_and_training_is_seen():
    model = tiny_model(dtype="mixed_bfloat16", **FLAT)
    before = model.sample(2, GDDIM(order=1), 3)
    plain = tf.function(model.network)
    expected = DiffusionModel(Wrapped(plain, model.network), model.sde, "v")
    np.testing.assert_array_equal(before, expected.sample(2, GDDIM(order=1), 3))
    model.set_weights([w * 1.01 for w in model.get_weights()])
    after = model.sample(2, GDDIM(order=1), 3)
    assert np.abs(after - before).max() > 1e-3
    again = DiffusionModel(Wrapped(tf.function(model.network), model.network), model.sde, "v")
    np.testing.assert_array_equal(after, again.sample(2, GDDIM(order=1), 3))


class Wrapped(keras.Model):
    """A network behind a graph of its own, which casts at every call."""

    def __init__(self, graph, network):
        super().__init__()
        self.graph, self.built = graph, True
        for name in ("image_size", "channels", "components", "out_channels", "num_classes"):
            setattr(self, name, getattr(network, name))

    def call(self, x, time, labels=None, training=False):
        return self.graph(x, time)
