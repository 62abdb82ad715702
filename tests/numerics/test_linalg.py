"""Small matrices on packed states."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf.numerics.linalg import apply_matrix, positive_root, sum_over_pixels, transpose


@settings(max_examples=20, deadline=None)
@given(k=st.integers(1, 3), channels=st.integers(1, 3), batched=st.booleans())
def test_components_are_packed_one_after_the_other(k, channels, batched):
    rng = np.random.default_rng(0)
    state = rng.standard_normal((2, 4, 5, k * channels))
    matrix = rng.standard_normal((2, k, k) if batched else (k, k))
    result = apply_matrix(tf.constant(matrix), tf.constant(state), batched=batched)
    full = np.broadcast_to(matrix if batched else matrix[None], (2, k, k))
    unpacked = state.reshape(2, 4, 5, k, channels)
    expected = np.einsum("bij,bhwjc->bhwic", full, unpacked).reshape(state.shape)
    np.testing.assert_allclose(result, expected, atol=1e-13)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("k", [1, 2])
def test_modes_are_spread_over_the_image_by_their_index(k, batched):
    rng = np.random.default_rng(1)
    index = np.array([[0, 1, 2], [2, 1, 0]])[..., None]
    state = rng.standard_normal((2, 2, 3, 2 * k))
    matrix = rng.standard_normal((2, 3, k, k) if batched else (3, k, k))
    result = apply_matrix(tf.constant(matrix), tf.constant(state), index, batched)
    full = np.broadcast_to(matrix if batched else matrix[None], (2, 3, k, k))
    unpacked = state.reshape(2, 2, 3, k, 2)
    expected = np.einsum("bhwij,bhwjc->bhwic", full[:, index[..., 0]], unpacked)
    np.testing.assert_allclose(result, expected.reshape(state.shape), atol=1e-13)


def test_one_matrix_per_pixel():
    rng = np.random.default_rng(2)
    matrix, state = rng.standard_normal((2, 3, 1, 2, 2)), rng.standard_normal((4, 2, 3, 2))
    result = apply_matrix(tf.constant(matrix), tf.constant(state))
    expected = np.einsum("hwij,bhwj->bhwi", matrix[:, :, 0], state)
    np.testing.assert_allclose(result, expected, atol=1e-13)


def test_vectors_are_states_too():
    state = tf.constant([[1.0, 2.0, 3.0, 4.0]])
    result = apply_matrix(tf.constant([[0.0, 1.0], [2.0, 0.0]]), state)
    np.testing.assert_array_equal(result, [[3.0, 4.0, 2.0, 4.0]])


def test_transpose_swaps_the_last_two_axes():
    matrix = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_array_equal(transpose(matrix)[1], matrix[1].T)


@given(values=st.lists(st.floats(-1e-17, 2.0), min_size=2, max_size=2), angle=st.floats(0, 7))
def test_positive_root_of_matrices_that_are_all_but_singular(values, angle):
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag(values) @ turn.T
    root = positive_root(covariance)
    assert np.all(np.isfinite(root))
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-14)


def test_numbers_of_modes_are_summed_over_the_pixels_that_have_them():
    index = np.array([[0, 1, 2], [2, 1, 0]])[..., None]
    values = np.array([1.0, 10.0, 100.0])
    assert sum_over_pixels(values, (2, 3, 5), index) == 5 * 222.0
    assert sum_over_pixels(2.0, (2, 3, 5)) == 60.0
    assert sum_over_pixels(values[:, None, None], (3, 4, 1)) == 4 * 111.0
