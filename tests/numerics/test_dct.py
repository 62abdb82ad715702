"""The cosine transform against SciPy's."""

import numpy as np
import pytest
import scipy.fft
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf.numerics.dct import dct, dct_basis, inverse_dct, laplacian_modes


@settings(max_examples=15, deadline=None)
@given(size=st.integers(1, 12), seed=st.integers(0, 100))
def test_it_is_the_orthonormal_transform_of_scipy(size, seed):
    images = np.random.default_rng(seed).standard_normal((2, size, size, 3))
    reference = scipy.fft.dctn(images, axes=(1, 2), norm="ortho")
    coefficients = dct(tf.constant(images), size)
    np.testing.assert_allclose(coefficients, reference, atol=1e-12)
    np.testing.assert_allclose(inverse_dct(coefficients, size), images, atol=1e-12)


def test_the_basis_is_orthonormal():
    np.testing.assert_allclose(dct_basis(9) @ dct_basis(9).T, np.eye(9), atol=1e-14)


def test_modes_name_the_decay_of_every_frequency():
    eigenvalues, index = laplacian_modes(5)
    assert index.shape == (5, 5, 1) and index.dtype == np.int32
    expected = np.pi**2 * (3**2 + 1**2) / 5**2
    np.testing.assert_allclose(eigenvalues[index[3, 1, 0]], expected)
    assert np.all(np.diff(eigenvalues) > 0)


def test_an_image_need_not_be_square():
    images = np.random.default_rng(0).standard_normal((2, 4, 6, 3))
    coefficients = dct(tf.constant(images), (4, 6))
    expected = np.einsum("ki,lj,bijc->bklc", dct_basis(4), dct_basis(6), images)
    np.testing.assert_allclose(coefficients, expected, atol=1e-12)
    np.testing.assert_allclose(inverse_dct(coefficients, (4, 6)), images, atol=1e-12)
    eigenvalues, index = laplacian_modes((4, 6))
    assert index.shape == (4, 6, 1)
    rates = np.pi**2 * ((np.arange(4) / 4)[:, None] ** 2 + (np.arange(6) / 6) ** 2)
    np.testing.assert_allclose(eigenvalues[index[..., 0]], rates, atol=1e-12)
    assert index[2, 0, 0] == index[0, 3, 0]  # half of the height, half of the width


def test_other_shapes_are_refused():
    for shape in ((1, 4, 5, 3), (1, 5, 5), (5, 5)):
        with pytest.raises(ValueError, match=r"takes images \[batch, 5, 5, C\], received"):
            dct(tf.zeros(shape), 5)
