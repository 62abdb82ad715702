import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import sdes
from gddim_tf.numerics.small_matrices import determinant, diagonal, inverse, orthonormal_rows

SIZES = (1, 2, 3, 4)


def matrices(size, dtype=np.float64):
    """Some that are far from singular, `[5, 2, size, size]`."""
    random = np.random.default_rng(size).standard_normal((5, 2, size, size))
    return (random + 2 * size**0.5 * np.eye(size)).astype(dtype)


@pytest.mark.parametrize("size", SIZES)
def test_they_are_those_of_numpy(size):
    given = matrices(size)
    np.testing.assert_allclose(inverse(given), np.linalg.inv(given), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(determinant(given), np.linalg.det(given), rtol=1e-12)
    column = given[..., :1]
    expected = np.stack([[np.diag(c[:, 0]) for c in row] for row in column])
    np.testing.assert_array_equal(diagonal(tf.constant(column)), expected)


@pytest.mark.parametrize("size", SIZES)
def test_a_matrix_is_a_triangle_times_its_orthonormal_rows(size):
    given = matrices(size) * np.array([[[[1.0]], [[-1.0]]]])
    rows = orthonormal_rows(given).numpy()
    np.testing.assert_allclose(
        rows @ np.swapaxes(rows, -1, -2), np.broadcast_to(np.eye(size), given.shape), atol=1e-14
    )
    lower = given @ np.swapaxes(rows, -1, -2)
    np.testing.assert_allclose(np.triu(lower, 1), 0, atol=1e-13)
    assert (np.diagonal(lower, axis1=-2, axis2=-1) > 0).all()


@pytest.mark.parametrize(
    "sde", [sdes.CLD(), sdes.PSLD(), sdes.HOLD()], ids=lambda sde: type(sde).__name__
)
def test_eps_from_a_root_in_float32_is_no_worse_than_by_elimination(sde):
    root = sde.root(np.geomspace(sde.t_min, sde.t_max, 400)).astype(np.float32)
    eps = np.random.default_rng(0).standard_normal((400, sde.components, 1))
    state = (root @ eps).astype(np.float32)

    def error(inverted):
        return np.abs(inverted @ state - eps).max()

    assert error(inverse(root).numpy()) < min(5e-6, 1.5 * error(tf.linalg.inv(root).numpy()))
    rows = orthonormal_rows(root).numpy()
    product, identity = rows @ np.swapaxes(rows, -1, -2), np.eye(sde.components)
    np.testing.assert_allclose(product, np.broadcast_to(identity, root.shape), atol=1e-6)


def test_they_are_in_no_operation_of_their_own():
    function = tf.function(
        lambda x: (inverse(x), determinant(x), diagonal(x[..., :1]), orthonormal_rows(x))
    )
    graph = function.get_concrete_function(tf.TensorSpec([None, 3, 3])).graph
    assert not {op.type for op in graph.get_operations() if "Matrix" in op.type or op.type == "Qr"}
