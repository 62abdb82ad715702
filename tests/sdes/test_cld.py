"""Critically damped Langevin diffusion against the published code and accurate references."""

import pathlib

import numpy as np
import pytest
import scipy.linalg

from gddim_tf.numerics.linalg import transpose
from gddim_tf.sdes import CLD

FOLDER = pathlib.Path(__file__).parents[1] / "golden"
CORE, LAMBDA, SGM = (
    np.load(FOLDER / f"{name}.npz") for name in ("cldA_core", "cldA_lambda", "cldsgm_kernel")
)


def test_the_matrices_are_those_of_gddim():
    sde, t = CLD(), CORE["t"]
    np.testing.assert_allclose(sde.root(t), CORE["R_exact"], atol=1e-12)
    np.testing.assert_allclose(sde.covariance(t), CORE["Sigma_exact"], atol=1e-14)
    np.testing.assert_allclose(sde.cholesky(t), CORE["L_exact"], atol=1e-11)
    np.testing.assert_allclose(sde.drift(t), CORE["F_official"], atol=1e-14)
    np.testing.assert_allclose(sde.diffusion(t), CORE["G_official"], atol=1e-14)
    psi = sde.transition(CORE["psi_to"], CORE["psi_from"])
    np.testing.assert_allclose(psi, CORE["psi_exact"], atol=1e-14)
    np.testing.assert_allclose(sde.root(t), CORE["R_official"], atol=1e-6)  # its float32 steps


def test_score_and_eps_are_related_as_in_gddim():
    sde, t, eps = CLD(), CORE["t"], CORE["eps_probe"]
    score = -np.einsum("tji,tbj->tbi", np.linalg.inv(sde.root(t)), eps)
    np.testing.assert_allclose(score, CORE["score_from_eps_official"], rtol=1e-4, atol=1e-3)
    turned = transpose(sde.cholesky(t)) @ transpose(np.linalg.inv(sde.root(t)))
    eps_cholesky = np.einsum("tij,tbj->tbi", turned, eps)
    np.testing.assert_allclose(eps_cholesky, CORE["epsL_from_epsR_official"], atol=2e-5)


@pytest.mark.parametrize("lam", ["0", "0.1", "0.3", "0.5", "0.7", "1"])
def test_the_stochastic_matrices_are_exact(lam):
    sde, t, s = CLD(), LAMBDA["ts"][1:], LAMBDA["ts"][:-1]
    reverse = sde.reverse_transition(t, s, float(lam))
    expected = LAMBDA[f"lam{lam}_psihat_exact"]
    np.testing.assert_allclose(reverse, expected, atol=1e-9 * np.abs(expected).max())
    covariance = sde.covariance(t) - reverse @ sde.covariance(s) @ transpose(reverse)
    np.testing.assert_allclose(covariance, LAMBDA[f"lam{lam}_cov_exact"], atol=1e-11)
    weight = (reverse - sde.transition(t, s)) @ sde.root(s)
    np.testing.assert_allclose(weight, LAMBDA[f"lam{lam}_eps_exact"], atol=1e-10)


def test_the_kernel_is_that_of_cld_sgm():
    sde, t = CLD(initial_eps=0.0), SGM["t"]
    covariance = sde.covariance(t)
    # theirs adds 1e-9 to the variances at every time
    np.testing.assert_allclose(covariance[:, 0, 0] + 1e-9, SGM["hsm_xx"], atol=1e-15)
    np.testing.assert_allclose(covariance[:, 0, 1], SGM["hsm_xv"], atol=1e-15)
    np.testing.assert_allclose(covariance[:, 1, 1] + 1e-9, SGM["hsm_vv"], atol=1e-15)
    start = SGM["u0"].reshape(-1, 2, 2)  # components, then dimensions
    mean = sde.transition(t, np.zeros_like(t)) @ start
    np.testing.assert_allclose(mean.reshape(-1, 4), SGM["mean"], atol=1e-14)
    np.testing.assert_allclose((sde.drift(t) @ start).reshape(-1, 4), SGM["drift"], atol=1e-13)
    np.testing.assert_allclose(sde.diffusion(t)[:, 1, 1], SGM["diffusion"][:, 2], rtol=1e-14)


def test_the_transition_is_a_matrix_exponential():
    sde = CLD(beta_0=2.0, beta_1=3.0, mass=0.7)
    t, s = 0.9, 0.2
    duration = 2.0 * (t - s) + 1.5 * (t**2 - s**2)
    reference = scipy.linalg.expm(duration * sde.drift(0.0) / 2.0)
    np.testing.assert_allclose(sde.transition(t, s), reference, rtol=1e-12)


@pytest.mark.parametrize(
    ("initial_eps", "turn"), [(1e-4, 11.396), (1e-6, 12.484), (1e-8, 13.157), (0.0, 12.236)]
)
def test_the_root_turns_by_an_angle_that_depends_on_the_first_noise(initial_eps, turn):
    sde = CLD(initial_eps=initial_eps)
    rotation = np.linalg.solve(sde.cholesky(1.0), sde.root(1.0))
    expected = [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    np.testing.assert_allclose(rotation, expected, atol=1e-3)


def test_without_first_noise_everything_is_finite_from_the_very_start():
    sde = CLD(initial_eps=0.0)
    t = np.concatenate([[0.0], np.geomspace(1e-30, 1.0, 200)])
    for matrix in (sde.root(t), sde.cholesky(t), sde.covariance(t)):
        assert np.all(np.isfinite(matrix))
    np.testing.assert_allclose(sde.root(0.0), [[0.0, 0.0], [0.0, 0.1]], atol=1e-15)


def test_the_determinant_does_not_cancel_near_the_data():
    # to leading order Sigma is the initial velocity (p, q) = (4 b, 1) plus the noise integral of
    # (4 tau, 1)(4 tau, 1)^T, whose determinant is gamma M N b^3 (16 / 3) with N = 2 Gamma = 2
    sde, t = CLD(initial_eps=0.0), 1e-9
    b = 4.0 * t
    factor = sde.cholesky(t)
    determinant = (factor[0, 0] * factor[1, 1]) ** 2
    np.testing.assert_allclose(determinant, 0.01 * 2.0 * 16.0 / 3.0 * b**3, rtol=1e-6)


def test_the_network_is_told_a_multiple_of_time():
    assert CLD().time_label(0.5) == 499.5
    assert CLD(time_scale=1.0).time_label(0.5) == 0.5


def test_the_stationary_covariance_is_the_prior():
    sde = CLD(mass=0.25)
    np.testing.assert_allclose(sde.prior_scale(), np.diag([1.0, 0.5]))
    np.testing.assert_allclose(CLD(t_max=20.0).covariance(20.0), np.diag([1.0, 0.25]), atol=1e-12)


@pytest.mark.parametrize("name", ["beta_0", "mass"])
def test_constants_must_be_positive(name):
    with pytest.raises(ValueError, match=f"`{name}` must be positive, received 0"):
        CLD(**{name: 0.0})


@pytest.mark.parametrize("name", ["beta_1", "gamma", "initial_eps"])
def test_constants_must_not_be_negative(name):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 0, received -0.5"):
        CLD(**{name: -0.5})


def test_some_first_noise_is_needed():
    with pytest.raises(ValueError, match="`gamma` and `initial_eps` must not both be 0"):
        CLD(gamma=0.0, initial_eps=0.0)
