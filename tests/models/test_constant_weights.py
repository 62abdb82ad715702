"""Weights as constants of the graphs that draw."""

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.models.constant_weights import ConstantEps, drawing_eps
from gddim_tf.samplers import GDDIM, run
from tests.conftest import own_model, tiny_model

SAMPLER = GDDIM(order=1)


def drawn(model, eps_fn):
    state = model.sde.prior(model.image_shape, tf.constant([[3, 0], [3, 1]]))
    return model.sde.to_images(run(SAMPLER.table(model.sde, 3), eps_fn, state)).numpy()


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_images_are_those_of_the_network_to_the_bit(dtype):
    model = tiny_model(dtype=dtype)
    assert isinstance(drawing_eps(model), ConstantEps)
    np.testing.assert_array_equal(model.sample(2, SAMPLER, 3, seed=3), drawn(model, model.eps))


def test_a_graph_is_shared_until_weights_change():
    model = own_model()
    first = drawing_eps(model)
    assert drawing_eps(model) is first
    before = model.sample(2, SAMPLER, 3, seed=3)
    model.set_weights([w * 1.5 for w in model.get_weights()])
    assert drawing_eps(model) == model.eps
    after = model.sample(2, SAMPLER, 3, seed=3)
    np.testing.assert_array_equal(after, drawn(model, model.eps))
    assert np.abs(after - before).max() > 1e-3
    assert drawing_eps(model) == model.eps  # also while nothing changes


def test_what_is_asked_as_it_is():
    large = own_model(filters=120_000)
    assert drawing_eps(large) == large.eps
    trained = own_model()
    trained.compile("sgd")
    trained.fit(np.zeros([4, 8, 8, 1], np.float32) - 1, epochs=1, verbose=0)
    assert drawing_eps(trained) == trained.eps


def test_nothing_reads_a_variable():
    model = own_model()
    graph = tf.function(drawing_eps(model), autograph=False).get_concrete_function(
        tf.TensorSpec([2, 8, 8, 1]), tf.TensorSpec([2])
    )
    assert not graph.captured_inputs
    assert (
        tf.function(model.eps, autograph=False)
        .get_concrete_function(tf.TensorSpec([2, 8, 8, 1]), tf.TensorSpec([2]))
        .captured_inputs
    )
