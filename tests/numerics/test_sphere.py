import numpy as np

from gddim_tf.numerics.sphere import between


def test_points_on_a_circle():
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    points = between(a, b, np.linspace(0, 1, 4))[:, 0]
    angles = np.pi / 2 * np.linspace(0, 1, 4)
    np.testing.assert_allclose(points, np.stack([np.cos(angles), np.sin(angles)], 1), atol=1e-12)


def test_lengths_of_noise_are_kept():
    a, b = np.random.default_rng(0).standard_normal((2, 3, 10, 10, 3))
    lengths = np.linalg.norm(between(a, b, np.linspace(0, 1, 5)).reshape(5, 3, -1), axis=-1)
    np.testing.assert_allclose(lengths, np.sqrt(300), rtol=0.1)


def test_from_a_point_to_itself_to_nothing_and_to_its_opposite():
    a, shares = np.ones((1, 2)), np.array([0.0, 0.25, 1.0])
    np.testing.assert_allclose(between(a, a, shares), [a, a, a], atol=1e-12)
    np.testing.assert_allclose(between(a, -a, shares)[[0, 2]], [a, -a], atol=1e-12)
    np.testing.assert_allclose(between(a, 0 * a, shares)[[0, 2]], [a, 0 * a], atol=1e-12)
