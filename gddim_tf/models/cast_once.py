"""Weights that a loop casts to 16 bits once, not at every evaluation."""

from __future__ import annotations

import contextlib

import keras
import tensorflow as tf
from tensorflow.python.ops.control_flow_v2_func_graphs import (
    CondBranchFuncGraph,
    WhileBodyFuncGraph,
    WhileCondFuncGraph,
)

_OF_CONTROL_FLOW = (CondBranchFuncGraph, WhileBodyFuncGraph, WhileCondFuncGraph)


def cast_once(network: keras.Model) -> contextlib.AbstractContextManager:
    """A scope in which a network inside a loop uses weights that were cast before the loop.

    Under "mixed_bfloat16" a layer casts its float32 weights at each call; inside `tf.while_loop`
    that is each evaluation, for small batches a fifth of its time. The numbers are the same, and as
    every run of the graph reads the variables, training in between is seen. Outside of a loop, or
    in one precision, the scope does nothing.
    """
    graph = tf.compat.v1.get_default_graph()
    if tf.executing_eagerly() or not isinstance(graph, _OF_CONTROL_FLOW):
        return contextlib.nullcontext()
    dtypes = dtypes_of_use(network)
    if all(dtypes[id(v)] == v.dtype for v in network.weights):
        return contextlib.nullcontext()
    if not isinstance(network.weights[0].value, tf.Variable):
        return contextlib.nullcontext()  # a scope around this one has cast them already
    while isinstance(graph, _OF_CONTROL_FLOW):
        graph = graph.outer_graph
    # kept in the graph that they belong to; nested graphs begin with the collections of the outer
    known = graph.get_collection_ref(f"cast_once/{id(graph)}/{id(network)}")
    if not known:
        with graph.as_default():
            # a cast to its own dtype would not read a variable
            values = [(v, tf.convert_to_tensor(v.value)) for v in network.weights]
            known.extend((v, tf.cast(value, dtypes[id(v)])) for v, value in values)
    scope = keras.StatelessScope()
    for pair in known:
        scope.add_update(pair)
    return scope


def dtypes_of_use(network: keras.Model) -> dict[int, str]:
    """The dtype to which its layer casts each weight, by the `id` of the weight."""
    return {  # a layer follows the one that it is part of, so that its own dtype counts
        id(variable): layer.compute_dtype if variable._autocast else variable.dtype
        for layer in network._flatten_layers()
        for variable in layer.weights
    }
