import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.numerics.divergence import divergence

STATE = np.random.default_rng(0).standard_normal((3, 2, 3, 3))


def curved(weights):
    """`x^3 + W sin x` on 18 numbers."""

    def field(state):
        flat = tf.reshape(state, [-1, 18])
        return tf.reshape(flat**3 + tf.sin(flat) @ weights, tf.shape(state))

    return field


def test_the_trace_is_exact():
    weights = np.random.default_rng(1).standard_normal((18, 18))
    value, trace = tf.function(lambda u: divergence(curved(weights), u))(tf.constant(STATE))
    flat = STATE.reshape(3, 18)
    np.testing.assert_allclose(tf.reshape(value, [3, 18]), flat**3 + np.sin(flat) @ weights)
    np.testing.assert_allclose(trace, (3 * flat**2 + np.cos(flat) * np.diag(weights)).sum(1))


def test_one_probe_of_signs_is_exact_on_a_diagonal_jacobian():
    signs = np.sign(np.random.default_rng(2).standard_normal((1, *STATE.shape)))
    _, trace = divergence(lambda u: u**3, tf.constant(STATE), tf.constant(signs))
    np.testing.assert_allclose(trace, (3 * STATE**2).sum((1, 2, 3)))


def test_the_estimate_is_unbiased():
    weights = np.random.default_rng(3).standard_normal((18, 18))
    state = tf.constant(STATE[:1])
    count = 4000
    signs = np.sign(np.random.default_rng(4).standard_normal((count, 18)))
    # every element of the batch has the same state and a probe of its own
    probes = tf.constant(signs.reshape(1, count, 2, 3, 3))
    _, estimates = divergence(curved(weights), tf.repeat(state, count, 0), probes)
    _, exact = divergence(curved(weights), state)
    error = np.std(estimates) / np.sqrt(count)
    assert np.std(estimates) > 1.0
    assert abs(np.mean(estimates) - exact[0]) < 4 * error


def test_several_probes_are_averaged():
    weights = np.random.default_rng(5).standard_normal((18, 18))
    probes = tf.constant(np.random.default_rng(6).choice([-1.0, 1.0], (3, *STATE.shape)))
    _, together = divergence(curved(weights), tf.constant(STATE), probes)
    single = [divergence(curved(weights), tf.constant(STATE), p[None])[1] for p in probes]
    np.testing.assert_allclose(together, np.mean(single, axis=0))


def test_a_field_without_a_gradient_is_named():
    def opaque(u):
        return tf.ensure_shape(tf.numpy_function(np.sin, [u], u.dtype), u.shape)

    with pytest.raises(ValueError, match="`eps_fn` must be made of TensorFlow's operations"):
        divergence(opaque, tf.constant(STATE))
