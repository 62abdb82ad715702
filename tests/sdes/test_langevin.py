"""The constants of PSLD and third-order Langevin against those of their authors."""

import numpy as np
import pytest

from gddim_tf.sdes import HOLD, PSLD

# Var(x), Cov(x, m), Var(m) of the published perturbation kernel with the configuration of CIFAR-10
# (beta 8, nu 4.01, gamma 0.01, kappa 0.04), evaluated in double precision.
PUBLISHED = {
    0.001: (8.319143738667085e-05, 0.00021916730263714807, 0.017576225508802133),
    0.1: (0.22801074574796487, 0.12882510610681536, 0.21603119192705866),
    0.5: (0.9869916117731963, 0.0050795890538757405, 0.24801457786726686),
    1.0: (0.9999852038970296, 6.532166770470715e-06, 0.24999711720627307),
}


@pytest.mark.parametrize("t", PUBLISHED)
def test_psld_is_that_of_its_program(t):
    """Which adds 1e-9 to both variances at every time, and not at t = 0 alone."""
    sde = PSLD(initial_eps=1e-9)
    found = sde.covariance(t)
    np.testing.assert_allclose(found[[0, 0, 1], [0, 1, 1]], PUBLISHED[t], atol=2e-9)
    b, low, high = 8 * t, 0.01, 4.01
    first = [1 + (high - low) / 4 * b, (low - high) ** 2 / 8 * b]
    second = [-b / 2, 1 + (low - high) / 4 * b]
    expected = np.exp(-(high + low) / 4 * b) * np.array([first, second])
    np.testing.assert_allclose(sde.transition(t, 0.0), expected, rtol=1e-12)


def test_psld_is_critically_damped():
    drift = PSLD().drift(0.3)
    assert PSLD(position_noise=0.0, momentum_noise=4.0).drift(0.3)[0, 0] == 0.0
    trace, determinant = np.trace(drift), np.linalg.det(drift)
    assert trace**2 == pytest.approx(4 * determinant, rel=1e-12)


def test_third_order_is_that_of_its_paper():
    """Sterling and Bugallo (2025): F has the entries 1, gamma = 2 sqrt(2), xi = 3 sqrt(3)."""
    gamma, xi = 2 * np.sqrt(2), 3 * np.sqrt(3)
    published = np.array([[0, 1, 0], [-1, 0, gamma], [0, -gamma, -xi]])
    sde = HOLD(beta=np.sqrt(3))
    np.testing.assert_allclose(sde.drift(0.2), published, atol=1e-12)
    noise = sde.diffusion(0.2)
    np.testing.assert_allclose(noise @ noise.T, np.diag([0, 0, 2 * xi]), atol=1e-12)
    powers = published + np.sqrt(3) * np.eye(3)
    np.testing.assert_allclose(np.linalg.matrix_power(powers, 3), 0, atol=1e-12)
