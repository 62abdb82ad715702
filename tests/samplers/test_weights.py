import itertools
import re

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from gddim_tf.samplers.weights import (
    INVERSES,
    VARIABLES,
    check_variable,
    cholesky_turn,
    exponential_weights,
    lagrange,
)
from gddim_tf.sdes import BDM, CLD, VESDE, VPSDE, CosineVPSDE, DiscreteVPSDE
from tests.samplers.cases import SDES
from tests.samplers.problems import golden

FILES = {
    "cldA_coeffs": CLD(),
    "bdm_coeffs": BDM(8),
    "deis_vp_coeffs": VPSDE(),
    "deis_ve_coeffs": VESDE(),
}

ARRAYS = [
    (file, key)
    for file in FILES
    for key in golden(file)
    if re.search(r"(pred|predL|corr|tab|rhoab)_?q?\d_exact$", key)
]


@pytest.mark.parametrize(("file", "key"), ARRAYS)
def test_weights_equal_the_reference(file, key):
    sde, expected = FILES[file], golden(file)[key]
    prefix, kind, order = re.fullmatch(
        r"(.*?)_?(pred|predL|corr|tab|rhoab)_?q?(\d)_exact", key
    ).groups()
    times, order = golden(file)[f"{prefix}_ts"], int(order)
    for i in range(len(times) - 1):
        newest = i + 1 if kind == "corr" else i
        nodes = times[max(newest - order, 0) : newest + 1][::-1]
        variable, root = ("rho" if kind == "rhoab" else "t"), ("L" if kind == "predL" else "R")
        weights = exponential_weights(sde, times[i], times[i + 1], nodes, variable, root)
        if kind == "predL":  # the reference's apply to eps_L
            weights = weights @ np.linalg.inv(cholesky_turn(sde, nodes))
        if sde.components == 1:
            weights = weights[..., 0, 0]
        if sde.mode_index is not None:
            weights = weights[:, sde.mode_index[..., 0]]
        if kind == "rhoab" and isinstance(sde, VPSDE):  # the reference moves u / sqrt(alpha)
            weights = weights / np.exp(sde.log_signal(times[i + 1]))
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            weights, expected[i, : len(weights)], atol=1e-12 * scale, rtol=1e-9
        )
        assert not np.any(expected[i, len(weights) :])


@pytest.mark.parametrize("name", SDES)
@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(
    cut=st.lists(st.floats(0.02, 0.98), min_size=4, max_size=4, unique=True),
    variable=st.sampled_from(sorted(VARIABLES)),
    root=st.sampled_from("RL"),
)
def test_a_constant_output_is_integrated_exactly(name, cut, variable, root):
    sde, cut = SDES[name], np.sort(cut)[::-1]
    hypothesis.assume(np.diff(cut).max() < -0.02)
    times = sde.t_min + (sde.t_max - sde.t_min) * cut**2
    weights = exponential_weights(sde, times[2], times[3], times[2::-1], variable, root)
    if root == "L":
        weights = weights @ np.linalg.inv(cholesky_turn(sde, times[2::-1]))
        weights = weights.sum(0)
        single = exponential_weights(sde, times[2], times[3], times[2:3], variable, "L")
        expected = (single @ np.linalg.inv(cholesky_turn(sde, times[2:3])))[0]
    else:
        weights = weights.sum(0)
        expected = sde.root(times[3]) - sde.transition(times[3], times[2]) @ sde.root(times[2])
    scale = np.abs(sde.transition(times[3], times[2]) @ sde.root(times[2])).max()
    np.testing.assert_allclose(weights, expected, atol=1e-9 * scale)


@pytest.mark.parametrize("sde", [BDM(8), CosineVPSDE()], ids=["bdm", "cosine"])
def test_a_step_over_everything_is_cut_into_panels(sde):
    # A blur that has not begun and a signal that has all but vanished lie in the same step.
    start, end = sde.t_max, 0.01
    nodes = np.array([start, 1.1, 1.2])
    direct = exponential_weights(sde, start, end, nodes)
    grid = np.linspace(start, end, 40)
    parts = [
        sde.transition(end, b) @ exponential_weights(sde, a, b, nodes)
        for a, b in itertools.pairwise(grid)
    ]
    np.testing.assert_allclose(direct, np.sum(parts, axis=0), rtol=1e-6)


@pytest.mark.parametrize("variable", ["rho", "asinh_rho", "t"])
def test_a_table_of_betas_is_integrated_between_its_kinks(variable):
    sde = DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000))
    start, end, nodes = 40.0, 3.0, np.array([40.0, 100.0, 200.0])
    edges = sde.rho(np.arange(start, end - 1, -1))
    x, w = np.polynomial.legendre.leggauss(10)
    expected = np.zeros(3)
    for a, b in itertools.pairwise(edges):
        rho = a + (b - a) * 0.5 * (x + 1)
        inner = VARIABLES[variable]
        basis = lagrange(inner(sde, nodes), inner(sde, sde.time_of_rho(rho)))
        expected += (basis * w).sum(1) * (b - a) / 2 * np.exp(sde.log_signal(end))
    weights = exponential_weights(sde, start, end, nodes, variable)[:, 0, 0]
    np.testing.assert_allclose(weights, expected, rtol=1e-5 if variable == "t" else 1e-11)


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("variable", VARIABLES)
def test_variables_and_their_inverses(name, variable):
    sde = SDES[name]
    times = np.linspace(max(sde.t_min, 1e-3 * sde.t_max), sde.t_max, 7)
    values = VARIABLES[variable](sde, times)
    assert np.all(np.diff(values) > 0)
    np.testing.assert_allclose(INVERSES[variable](sde, values), times, rtol=1e-9)


def test_lagrange_polynomials():
    nodes = np.array([0.3, 0.1, 0.9])
    np.testing.assert_allclose(lagrange(nodes, nodes), np.eye(3), atol=1e-15)
    points = np.linspace(0, 1, 5)
    np.testing.assert_allclose(nodes**2 @ lagrange(nodes, points), points**2, atol=1e-14)


def test_unknown_variable():
    with pytest.raises(ValueError, match=r"`variable` must be one of .*'rho'.*received 'x'"):
        check_variable("x")
