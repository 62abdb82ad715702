"""The panels on which a diffusion is solved."""

import numpy as np
import pytest
import scipy.linalg

from gddim_tf.numerics.panels import solve_panels


def no_noise(t):
    return np.zeros((len(t), 1, 1))


def test_a_tiny_transition_keeps_its_digits():
    panels = solve_panels(np.array([[-40.0]]), no_noise, np.eye(1), 1.0)
    value = panels.psi(np.array([1.0, 0.3, 0.0]), np.array([0.0, 0.9, 1.0]))
    np.testing.assert_allclose(value.ravel(), np.exp([-40.0, 24.0, 40.0]), rtol=1e-11)


def test_a_stiff_drift_gets_short_panels():
    gentle = solve_panels(np.array([[-1.0]]), no_noise, np.eye(1), 1.0)
    stiff = solve_panels(np.array([[-1000.0]]), no_noise, np.eye(1), 1.0)
    assert len(gentle.edges) < 60 and 1000 < len(stiff.edges) < 2200
    assert not gentle.unresolved().any() and not stiff.unresolved().any()
    np.testing.assert_allclose(
        stiff.psi(np.array([0.1]), np.array([0.0])).ravel(), np.exp(-100.0), rtol=1e-9
    )


def test_a_constant_drift_of_large_norm_is_exact():
    # the norms at which tf.linalg.expm alone would lose digits
    drift = np.array([[0.0, 42.0], [-42.0, -1.0]])
    panels = solve_panels(drift, lambda t: np.zeros((len(t), 2, 2)), np.eye(2), 1.0)
    t = np.array([0.1, 0.25, 0.7, 1.0])
    expected = np.stack([scipy.linalg.expm(drift * time) for time in t])
    np.testing.assert_allclose(panels.psi(t, np.zeros(4)), expected, atol=1e-11)


def test_a_fast_schedule_is_resolved_by_more_panels():
    # exp(int F) is not a polynomial on an octave: F oscillates within it
    def drift(t):
        return 0.5 * np.cos(200 * t)[:, None, None]

    panels = solve_panels(drift, no_noise, np.eye(1), 1.0)
    t = np.linspace(0.01, 1.0, 37)
    value = panels.psi(t, np.zeros_like(t)).ravel()
    np.testing.assert_allclose(value, np.exp(0.5 * np.sin(200 * t) / 200), rtol=1e-10)


def test_drift_and_diffusion_may_start_like_a_root():
    def drift(t):
        return -np.sqrt(t)[:, None, None]

    def diffusion(t):
        return t[:, None, None] ** 0.25 * np.exp(-(t**1.5) / 1.5)[:, None, None]

    panels = solve_panels(drift, diffusion, np.zeros((1, 1)), 1.0)
    t = np.geomspace(1e-8, 1.0, 20)
    decay = np.exp(-(t**1.5) / 1.5)
    np.testing.assert_allclose(panels.psi(t, np.zeros(20)).ravel(), decay, rtol=1e-11)
    np.testing.assert_allclose(panels.sigma(t).ravel(), decay**2 * t**1.5 / 1.5, rtol=1e-9)


def test_a_jump_is_refused():
    def drift(t):
        return np.where(t < 0.3, -1.0, -3.0)[:, None, None]

    with pytest.raises(
        ValueError, match=r"`drift` and `diffusion` must be smooth .* t = 0\.(29|3)"
    ):
        solve_panels(drift, no_noise, np.eye(1), 1.0)
