"""Variance preserving diffusions against the published schedules."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.sdes import VPSDE, CosineVPSDE, DiscreteVPSDE

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "deis_schedules.npz")


def test_the_linear_schedule_is_that_of_deis():
    sde, t = VPSDE(beta_min=0.1, beta_max=20.0), GOLDEN["vp_t"]
    np.testing.assert_allclose(np.exp(sde.log_alpha(t)), GOLDEN["vp_alpha"], atol=1e-15)
    np.testing.assert_allclose(sde.rho(t), GOLDEN["vp_rho"], rtol=1e-12)
    np.testing.assert_allclose(sde.time_of_rho(GOLDEN["vp_rho"]), GOLDEN["vp_t_of_rho"], rtol=1e-12)
    integrand = 0.5 * sde.diffusion(t) ** 2 / sde.root(t)
    np.testing.assert_allclose(integrand[:, 0, 0], GOLDEN["vp_eps_integrand"], rtol=1e-12)


def test_the_cosine_schedule_is_that_of_deis_normalised_to_one_at_the_data():
    t = GOLDEN["vp_t"]
    t = t[t < 1]
    alpha = np.exp(CosineVPSDE().log_alpha(t)) * np.cos(0.5 * np.pi * 0.008 / 1.008) ** 2
    np.testing.assert_allclose(alpha, GOLDEN["vp_cos_alpha"][: len(t)], rtol=1e-12)


def test_the_cosine_schedule_is_exact_near_the_data():
    # log a = -pi tan(offset angle) / 1.008 t to first order, where a difference would cancel
    t = 1e-12
    rate = -np.pi / 1.008 * np.tan(0.5 * np.pi * 0.008 / 1.008)
    np.testing.assert_allclose(CosineVPSDE().log_alpha(t), rate * t, rtol=1e-9)


def test_time_t_of_the_discrete_schedule_is_index_t_minus_1():
    betas = np.linspace(1e-4, 0.02, 1000)
    sde = VPSDE.from_betas(betas)
    assert isinstance(sde, DiscreteVPSDE)
    assert (sde.t_min, sde.t_max) == (0.0, 1000.0)
    t = np.arange(1, 1001)
    np.testing.assert_allclose(
        np.exp(sde.log_alpha(t)), GOLDEN["discrete_alphas_cumprod"], rtol=1e-13
    )
    assert sde.log_alpha(0.0) == 0.0
    np.testing.assert_array_equal(sde.time_label(np.array([1.0, 1000.0])), [0.0, 999.0])


def test_the_discrete_grid_of_deis_has_the_same_matrices():
    sde = DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000))
    t = GOLDEN["discrete_t2_N10_ts"] + 1.0
    np.testing.assert_allclose(sde.rho(t), GOLDEN["discrete_t2_N10_rho"], rtol=1e-13)
    psi = sde.transition(t[1:], t[:-1])[:, 0, 0]
    np.testing.assert_allclose(psi, GOLDEN["discrete_t2_N10_psi_official"], rtol=1e-13)


def test_the_discrete_schedule_is_linear_in_sigma_between_steps():
    sde = DiscreteVPSDE([0.1, 0.2])
    sigma = np.sqrt(1 / np.array([1.0, 0.9, 0.72]) - 1)
    np.testing.assert_allclose(sde.rho([0.25, 1.5]), [0.25 * sigma[1], sigma[1:].mean()])


@pytest.mark.parametrize("count", [1, 50, 4000])
def test_the_kernel_of_a_table_is_the_table(count):
    """The squared cosine, whose last step keeps a thousandth of the signal."""
    angle = 0.5 * np.pi * (np.arange(count + 1) / count + 0.008) / 1.008
    betas = np.minimum(1 - np.cos(angle[1:]) ** 2 / np.cos(angle[:-1]) ** 2, 0.999)
    signal = np.sqrt(np.cumprod(1 - betas))
    steps = tf.range(1.0, count + 1.0)
    psi, root = DiscreteVPSDE(betas).kernel(steps)
    assert psi.shape == root.shape == (count, 1, 1)
    np.testing.assert_allclose(psi[:, 0, 0], signal, rtol=1e-5)
    np.testing.assert_allclose(root[:, 0, 0], np.sqrt(1 - signal**2), rtol=1e-5)
    between = tf.constant([0.0, 0.3, count - 0.5], tf.float64)
    psi, root = DiscreteVPSDE(betas).kernel(between)
    np.testing.assert_allclose(psi, DiscreteVPSDE(betas).transition(between, 0.0), rtol=1e-12)
    np.testing.assert_allclose(root, DiscreteVPSDE(betas).root(between), rtol=1e-12)


def test_the_signal_and_the_noise_of_one_time():
    sde = VPSDE(beta_min=2.0, beta_max=2.0)
    np.testing.assert_allclose(sde.transition(0.5, 0.0), [[np.exp(-0.5)]])
    np.testing.assert_allclose(sde.covariance(0.5), [[1 - np.exp(-1.0)]])
    np.testing.assert_allclose(sde.drift(0.3), [[-1.0]])
    np.testing.assert_allclose(sde.diffusion(0.3), [[np.sqrt(2.0)]])
    assert sde.time_label(0.5) == 499.5
    np.testing.assert_array_equal(sde.prior_scale(), [[1.0]])


@pytest.mark.parametrize("betas", [(-0.1, 1.0), (2.0, 1.0), (0.0, 0.0)])
def test_betas_must_increase(betas):
    with pytest.raises(ValueError, match=rf"`beta_min`.*received {betas[0]} and {betas[1]}"):
        VPSDE(*betas)


def test_the_cosine_schedule_must_end_before_its_signal_does():
    with pytest.raises(ValueError, match=r"`t_max` must be below 1 .*received 1.0"):
        CosineVPSDE(t_max=1.0)
    with pytest.raises(ValueError, match="`offset` must be at least 0, received -1"):
        CosineVPSDE(offset=-1)


def test_a_table_of_betas_must_hold_shares():
    with pytest.raises(ValueError, match=r"`betas` must be in .*from 0\.1 to 1\.0"):
        DiscreteVPSDE([0.1, 1.0, 0.1])
    with pytest.raises(ValueError, match=r"`betas` must be a list .*shape \(0,\)"):
        DiscreteVPSDE([])
    with pytest.raises(ValueError, match=r"shape \(1, 1\)"):
        DiscreteVPSDE([[0.1]])
