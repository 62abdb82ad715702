"""Spectral collocation against closed forms."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf.numerics.quadrature import (
    coefficient_matrix,
    integration_matrix,
    interpolation_matrix,
    interval_times,
    is_resolved,
    legendre,
    solve_at_nodes,
    solve_linear_ode,
    stieltjes,
)


def test_the_derivative_of_polynomials_is_exact():
    x, w, derivative = legendre(12)
    np.testing.assert_allclose(derivative @ x**7, 7 * x**6, atol=1e-11)
    np.testing.assert_allclose(w @ x**22, 2 / 23, rtol=1e-13)


def test_the_integral_from_the_left_end_is_exact():
    x, _, _ = legendre(12)
    np.testing.assert_allclose(integration_matrix(12) @ x**7, (x**8 - 1) / 8, atol=1e-14)


def test_coefficients_are_those_of_the_legendre_series():
    x, _, _ = legendre(10)
    series = np.arange(10.0)
    values = np.polynomial.legendre.legval(x, series)
    np.testing.assert_allclose(coefficient_matrix(10) @ values, series, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=5))
def test_the_interpolant_of_a_polynomial_is_itself(points):
    x, _, _ = legendre(9)
    points = np.array([*points, x[3]])
    values = interpolation_matrix(points, 9) @ (x**8 - 3 * x)
    np.testing.assert_allclose(values, points**8 - 3 * points, atol=1e-12)
    assert values[-1] == x[3] ** 8 - 3 * x[3]


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 1e-3), (0.2, 0.9)])
def test_nodes_lie_inside_the_interval_in_order(start, end):
    times = interval_times(start, end)
    assert min(start, end) < times.min() and times.max() < max(start, end)
    assert np.all(np.sign(np.diff(times)) == np.sign(end - start))


@pytest.mark.parametrize(("start", "end"), [(0.01, 1.0), (1.0, 0.0)])
def test_integrals_against_a_function_of_time(start, end):
    # int t d(t^(3/2)) = 3/5 t^(5/2), and int d(t^(3/2)) is the difference
    t = interval_times(start, end)
    integrals = stieltjes(np.stack([t, np.ones_like(t)]), np.stack([t**1.5, 2 * t**1.5], axis=1))
    expected = [0.6 * (end**2.5 - start**2.5), end**1.5 - start**1.5]
    np.testing.assert_allclose(integrals[:, 0], expected, atol=1e-13)
    np.testing.assert_allclose(integrals[:, 1], 2 * np.array(expected), atol=1e-13)


def test_only_smooth_functions_are_resolved():
    x, _, _ = legendre()
    assert is_resolved(np.stack([np.exp(x), np.cos(3 * x)], axis=1))
    assert not is_resolved(np.stack([np.exp(x), np.abs(x - 0.1)], axis=1))


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 0.2)])
def test_a_linear_equation_with_commuting_matrices(start, end):
    # A(t) = 3 t^2 B has the solution exp((t^3 - s^3) B); two modes with different B
    matrices = np.array([[[0.0, 1.0], [-2.0, -1.0]], [[1.0, 0.5], [0.0, -1.5]]])

    def generator(t):
        return 3 * t[:, None, None, None] ** 2 * matrices

    solution = solve_linear_ode(generator, np.array([start]), np.array([end]))
    reference = [scipy.linalg.expm((end**3 - start**3) * matrix) for matrix in matrices]
    np.testing.assert_allclose(solution[0], reference, rtol=1e-12)


def test_the_solution_at_the_nodes():
    x, _, _ = legendre(20)
    generator = np.array([[0.0, 1.0], [-1.0, 0.0]])
    inside, end = solve_at_nodes(np.broadcast_to(generator, (20, 2, 2)))
    np.testing.assert_allclose(inside[:, 0, 1], np.sin(x + 1), atol=1e-13)
    np.testing.assert_allclose(end[0], [np.cos(2.0), np.sin(2.0)], atol=1e-13)
