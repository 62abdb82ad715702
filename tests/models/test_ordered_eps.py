"""Draws order the weights of large convolutions at each evaluation, where there are CPUs only."""

import types

import tensorflow as tf

from gddim_tf.models import ordered_eps
from gddim_tf.models.drawing import conditions
from gddim_tf.networks.convolution import conv

SHAPE = [None, 16, 16, 128]


class Large:
    """A model of one large convolution."""

    def __init__(self):
        self.layer = conv(128, 3)
        self.layer.build(SHAPE)

    def eps(self, u, t, labels=None):
        return self.layer(u)


def kinds(eps_fn):
    graph = tf.function(eps_fn, autograph=False).get_concrete_function(
        tf.TensorSpec(SHAPE), tf.TensorSpec([None])
    )
    return {operation.type for operation in graph.graph.get_operations()} & {"Conv2D", "Conv3D"}


def test_a_draw_traces_volumes_and_keeps_its_graph():
    model = Large()
    eps_fn, _ = conditions(model, None, None, 1)
    assert kinds(eps_fn) == {"Conv3D"} and kinds(model.eps) == {"Conv2D"}
    again, _ = conditions(model, None, None, 1)
    assert again == eps_fn and hash(again) == hash(eps_fn)
    assert conditions(Large(), None, None, 1)[0] != eps_fn


def test_other_devices_are_left_alone(monkeypatch):
    devices = [types.SimpleNamespace(device_type=kind) for kind in ("CPU", "GPU")]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda: devices)
    model = Large()
    assert ordered_eps.ordered_on_cpus(model.eps) == model.eps
