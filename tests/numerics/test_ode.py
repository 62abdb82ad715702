"""The differential equations that TensorFlow solves, at the accuracy of float64."""

import numpy as np
import scipy.linalg
import tensorflow as tf

from gddim_tf.numerics.ode import constant_transitions, exact_dormand_prince, transitions


def turning(t):
    """A generator whose solution is the rotation by `t^3`."""
    return 3 * t[:, None, None] ** 2 * np.array([[0.0, 1.0], [-1.0, 0.0]])


def test_transitions_are_exact_to_twelve_digits():
    start, end = np.array([0.0, 0.2, 0.9]), np.array([0.5, 0.7, 1.1])
    parts = np.array([0.1, 0.5, 0.93, 1.0])
    solution = transitions(turning, start, end, parts)
    assert solution.shape == (3, 4, 2, 2)
    angle = (start[:, None] + (end - start)[:, None] * parts) ** 3 - start[:, None] ** 3
    expected = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    np.testing.assert_allclose(solution[..., 0, :], expected, atol=1e-12)


def test_transitions_ask_for_no_time_outside_their_interval():
    asked = []

    def drift(t):
        asked.append(t)
        return -np.ones((len(t), 1, 1, 1))

    solution = transitions(drift, np.array([0.0, 3.0]), np.array([1.0, 3.5]), np.array([1.0]))
    assert solution.shape == (2, 1, 1, 1, 1)
    np.testing.assert_allclose(solution.ravel(), np.exp([-1.0, -0.5]), rtol=1e-12)
    asked = np.stack(asked)
    assert asked[:, 0].min() >= 0 and asked[:, 0].max() <= 1
    assert asked[:, 1].min() >= 3 and asked[:, 1].max() <= 3.5


def test_the_tableau_of_the_solver_is_not_rounded_to_float32():
    matrix = tf.constant([[0.0, 1.0], [-1.0, 0.0]], tf.float64)
    solver = exact_dormand_prince().DormandPrince(rtol=1e-12, atol=1e-12)
    end = tf.constant([3.0], tf.float64)

    @tf.function
    def solve():
        start = tf.constant([1.0, 0.0], tf.float64)
        return solver.solve(lambda t, y: tf.linalg.matvec(matrix, y), 0.0, start, end)

    results = solve()
    np.testing.assert_allclose(results.states[0], [np.cos(3.0), -np.sin(3.0)], atol=1e-10)
    assert results.diagnostics.num_ode_fn_evaluations < 4000


def test_exponentials_of_short_durations_are_exact():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((3, 2, 2))
    matrix /= np.abs(matrix).sum(axis=-2).max()
    durations = np.array([[0.0, 1e-9], [0.3, 1.0]])
    solution = constant_transitions(matrix, durations)
    assert solution.shape == (2, 2, 3, 2, 2)
    for index in np.ndindex(2, 2):
        expected = scipy.linalg.expm(durations[index] * matrix)
        np.testing.assert_allclose(solution[index], expected, rtol=1e-13, atol=1e-15)
