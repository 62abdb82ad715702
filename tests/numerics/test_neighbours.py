import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from gddim_tf.numerics.neighbours import nearest_neighbours


def images(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 4, 4, 1))


@given(
    queries=st.integers(1, 30),
    references=st.integers(1, 30),
    block_size=st.integers(1, 9),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_neighbours_are_those_of_the_full_matrix(queries, references, block_size, seed):
    left, right = images(queries, seed), images(references, seed + 1)
    matrix = cdist(left.reshape(queries, -1), right.reshape(references, -1))
    distances, indices = nearest_neighbours(left, right, block_size=block_size)
    np.testing.assert_array_equal(indices, matrix.argmin(axis=1))
    np.testing.assert_allclose(distances, matrix.min(axis=1), rtol=1e-12)


@pytest.mark.parametrize("block_size", [1, 7, 64])
def test_a_neighbour_that_is_left_out_is_not_found(block_size):
    rows = images(23, 0).reshape(23, -1)
    chosen = np.array([3, 4, 11, 22])
    matrix = cdist(rows[chosen], rows)
    matrix[np.arange(4), chosen] = np.inf
    distances, indices = nearest_neighbours(rows[chosen], rows, block_size=block_size, own=chosen)
    np.testing.assert_array_equal(indices, matrix.argmin(axis=1))
    np.testing.assert_allclose(distances, matrix.min(axis=1), rtol=1e-12)


def test_copies_are_at_distance_zero_even_far_from_the_origin():
    training = images(50, 0).astype(np.float32) + 1e4
    distances, indices = nearest_neighbours(training[7:9], training)
    assert distances.tolist() == [0.0, 0.0]
    assert indices.tolist() == [7, 8]


def test_bytes_do_not_wrap_around():
    distances, indices = nearest_neighbours(
        np.full((1, 2), 3, np.uint8), np.array([[250, 250], [6, 7]], np.uint8)
    )
    assert (distances[0], indices[0]) == (5.0, 1)


def test_memory_is_bounded_by_the_blocks():
    queries, references = (np.zeros((4000, 4), np.float32) + np.arange(4) for _ in range(2))
    tracemalloc.start()
    nearest_neighbours(queries, references, block_size=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4000 * 4000 * 8 / 50
