"""What holds for every linear diffusion: the equations that define its matrices."""

import keras
import numpy as np
import pytest
import scipy.integrate
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.numerics.linalg import transpose
from gddim_tf.sdes import BDM, CLD, VESDE, VPSDE, DiscreteVPSDE, LinearSDE
from gddim_tf.sdes.times import check_times
from tests.sdes import cases

every_sde = pytest.mark.parametrize("name", cases.NAMES)


# ---- the matrices ------------------------------------------------------------------------------


@every_sde
@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(1e-4, 1.0), min_size=3, max_size=3))
def test_transitions_compose(name, parts):
    sde = cases.sde(name)
    last = 0.999 if sde.signal_free else 1.0  # nothing goes back from where no signal is left
    t, s, r = np.array(parts) * last * sde.t_max
    direct = sde.transition(t, r)
    composed = sde.transition(t, s) @ sde.transition(s, r)
    # through a later time a contraction is undone, which costs digits
    lost = np.abs(sde.transition(t, s)).max() * np.abs(sde.transition(s, r)).max()
    assert np.abs(composed - direct).max() < 1e-12 * max(lost, np.abs(direct).max())


@every_sde
def test_a_transition_to_the_same_time_is_the_identity(name):
    sde = cases.sde(name)
    t = cases.times(sde)
    identity = np.broadcast_to(np.eye(sde.components), sde.transition(t, t).shape)
    np.testing.assert_allclose(sde.transition(t, t), identity, atol=1e-12)


@every_sde
def test_the_transition_follows_the_drift(name):
    sde = cases.sde(name)
    t = cases.times(sde)
    start = np.full_like(t, 0.5 * t[0])
    rate = cases.derivative(lambda t: sde.transition(t, start), t)
    expected = sde.drift(t) @ sde.transition(t, start)
    if np.all(expected == 0):
        assert np.abs(rate).max() < 1e-10
    else:
        assert cases.relative_error(rate, expected) < 1e-8


@every_sde
def test_the_covariance_follows_drift_and_diffusion(name):
    sde = cases.sde(name)
    t = cases.times(sde)
    moved = sde.drift(t) @ sde.covariance(t)
    gained = sde.diffusion(t) @ transpose(sde.diffusion(t))
    rate = cases.derivative(sde.covariance, t)
    assert cases.relative_error(rate, moved + transpose(moved) + gained) < 1e-8


@every_sde
def test_both_roots_square_to_the_covariance(name):
    sde = cases.sde(name)
    t = np.geomspace(1e-6, 1.0, 60) * sde.t_max
    for root in (sde.root(t), sde.cholesky(t)):
        assert cases.relative_error(root @ transpose(root), sde.covariance(t)) < 1e-12
    assert np.all(np.triu(sde.cholesky(t), 1) == 0)


@every_sde
def test_the_root_follows_its_equation(name):
    sde = cases.sde(name)
    t = cases.times(sde)
    noise = sde.diffusion(t) @ transpose(sde.diffusion(t))
    generator = sde.drift(t) + 0.5 * noise @ np.linalg.inv(sde.covariance(t))
    rate = cases.derivative(sde.root, t)
    assert cases.relative_error(rate, generator @ sde.root(t)) < 1e-7


@every_sde
def test_matrices_have_the_shape_of_the_times_then_modes_and_components(name):
    sde = cases.sde(name)
    tail = (*sde.modes, sde.components, sde.components)
    t = cases.times(sde)[:4].reshape(2, 2)
    for method in (sde.covariance, sde.root, sde.cholesky, sde.drift, sde.diffusion):
        assert method(t).shape == (2, 2, *tail)
        assert method(t[0, 0]).shape == tail
        np.testing.assert_allclose(method(t)[1, 0], method(t[1, 0]), rtol=1e-12, atol=1e-14)
    assert sde.transition(t, t[0, 0]).shape == (2, 2, *tail)
    assert sde.rho(t).shape == (2, 2)
    assert sde.rho(t[0, 0]).shape == ()


# ---- the stochastic family -----------------------------------------------------------------------


@every_sde
def test_the_reverse_transition_has_closed_ends(name):
    sde = cases.sde(name)
    t, s = cases.times(sde)[:-1], cases.times(sde)[1:]
    deterministic = sde.root(t) @ np.linalg.inv(sde.root(s))
    assert cases.relative_error(sde.reverse_transition(t, s, 0.0), deterministic) < 1e-11
    ancestral = (
        sde.covariance(t) @ transpose(sde.transition(s, t)) @ np.linalg.inv(sde.covariance(s))
    )
    assert cases.relative_error(sde.reverse_transition(t, s, 1.0), ancestral) < 1e-11


@every_sde
@pytest.mark.parametrize("lam", [0.3, 1.0])
def test_the_reverse_transition_solves_its_equation(name, lam):
    sde = cases.sde(name)
    s, t = cases.times(sde)[[3, 2]]
    if name.startswith("discrete"):
        s, t = 600.9, 600.1  # the reference solver is not made for kinks
    identity = np.broadcast_to(np.eye(sde.components), sde.covariance(s).shape)

    def rate(tau, flat):
        noise = sde.diffusion(tau) @ transpose(sde.diffusion(tau))
        generator = sde.drift(tau) + 0.5 * (1 + lam**2) * noise @ np.linalg.inv(sde.covariance(tau))
        return (generator @ flat.reshape(identity.shape)).ravel()

    reference = scipy.integrate.solve_ivp(
        rate, (s, t), identity.ravel(), "DOP853", rtol=1e-10, atol=1e-14
    ).y[:, -1]
    value = sde.reverse_transition(np.array([t]), np.array([s]), lam)[0]
    assert cases.relative_error(value, reference.reshape(identity.shape)) < 1e-7


@every_sde
@pytest.mark.parametrize("lam", [0.0, 0.4, 1.0])
def test_what_the_reverse_transition_leaves_over_is_a_covariance(name, lam):
    sde = cases.sde(name)
    t, s = cases.times(sde)[:-1], cases.times(sde)[1:]
    reverse = sde.reverse_transition(t, s, lam)
    left = sde.covariance(t) - reverse @ sde.covariance(s) @ transpose(reverse)
    scale = np.abs(sde.covariance(t)).max(axis=(-1, -2))[..., None]
    assert np.all(np.linalg.eigvalsh(left) >= -1e-11 * scale)
    if lam == 0:
        assert np.abs(left).max() < 1e-11 * scale.max()


# ---- rho -----------------------------------------------------------------------------------------


@every_sde
def test_rho_has_an_inverse(name):
    sde = cases.sde(name)
    t = np.geomspace(1e-3, 1.0, 30) * sde.t_max
    np.testing.assert_allclose(sde.time_of_rho(sde.rho(t)), t, rtol=1e-8)


@every_sde
def test_rho_increases(name):
    sde = cases.sde(name)
    assert np.all(np.diff(sde.rho(np.linspace(0.0, sde.t_max, 50))) > 0)


def test_a_rho_beyond_the_last_time_is_the_last_time():
    np.testing.assert_allclose(CLD().time_of_rho([0.0, 1e9]), [0.0, 1.0])


# ---- in TensorFlow -------------------------------------------------------------------------------


@every_sde
def test_the_kernel_of_training_agrees_with_float64(name):
    sde = cases.sde(name)
    t = np.concatenate([np.geomspace(1e-5, 1.0, 200), np.linspace(1e-5, 1.0, 200)]) * sde.t_max
    t32 = t.astype(np.float32)
    signal, root = tf.function(sde.kernel)(tf.constant(t32))
    t = t32.astype(np.float64)
    expected = sde.transition(t, np.zeros_like(t))
    if isinstance(sde, BDM):
        expected = expected * np.exp(sde.log_signal(0.0))[:, None, None]
    size = max(1.0, np.abs(sde.root(sde.t_max)).max())
    assert signal.dtype == root.dtype == tf.float32
    np.testing.assert_allclose(signal, expected, atol=1e-5)
    np.testing.assert_allclose(root, sde.root(t), atol=1e-5 * size)


@every_sde
def test_the_kernel_interpolates_in_float64_too(name):
    sde = cases.sde(name)
    t = cases.times(sde)
    signal, root = sde.kernel(tf.constant(t, tf.float64))
    tolerance = 1e-5 if name == "discrete" else 1e-6
    if not isinstance(sde, BDM):
        np.testing.assert_allclose(signal, sde.transition(t, np.zeros_like(t)), atol=tolerance)
    size = np.abs(sde.root(sde.t_max)).max()
    np.testing.assert_allclose(root, sde.root(t), atol=tolerance * max(1.0, size))


@every_sde
def test_perturb_applies_transition_and_root(name):
    sde = cases.sde(name)
    rng = np.random.default_rng(0)
    size = getattr(sde, "image_size", 4)
    images = tf.constant(rng.uniform(-1, 1, (3, size, size, 2)), tf.float32)
    noise = tf.constant(rng.standard_normal((3, size, size, 2 * sde.components)), tf.float32)
    t = tf.constant(cases.times(sde)[[0, 2, 4]], tf.float32)
    state = sde.perturb(images, t, noise).numpy()
    clean = sde.to_state(images)
    for i, time in enumerate(t.numpy().astype(np.float64)):
        moved = sde.apply(tf.constant(sde.transition(time, 0.0), tf.float32), clean[i : i + 1])
        added = sde.apply(tf.constant(sde.root(time), tf.float32), noise[i : i + 1])
        scale = max(1.0, np.abs(state[i]).max())
        np.testing.assert_allclose(state[i], (moved + added)[0], atol=5e-5 * scale)


@every_sde
def test_images_survive_the_way_through_a_state(name):
    sde = cases.sde(name)
    size = getattr(sde, "image_size", 3)
    images = tf.random.stateless_uniform((2, size, size, 3), [0, 1], -1.0, 1.0)
    state = sde.to_state(images)
    assert state.shape == (2, size, size, 3 * sde.components)
    np.testing.assert_allclose(sde.to_images(state), images, atol=1e-6)
    noise = tf.random.stateless_normal(state.shape, [0, 2])
    np.testing.assert_allclose(sde.to_images(sde.to_state(images, noise)), images, atol=1e-6)


@pytest.mark.parametrize("name", cases.MATRIX_NAMES)
def test_the_other_components_of_a_state_are_drawn_from_their_covariance(name):
    sde = cases.sde(name)
    size, k = getattr(sde, "image_size", 2), sde.components
    images = tf.zeros((1, size, size, 1), tf.float64)
    noise = tf.random.stateless_normal((1, size, size, k), [0, 3], dtype=tf.float64)
    state = sde.to_state(images, noise)
    expected = sde.apply(tf.constant(sde.cholesky(0.0)), noise)
    np.testing.assert_allclose(state[..., 1:], expected[..., 1:], atol=1e-12)
    np.testing.assert_array_equal(state[..., 0], 0.0)


@every_sde
def test_the_prior_of_an_image_depends_on_its_seed_alone(name):
    sde = cases.sde(name)
    size = getattr(sde, "image_size", 3)
    many = sde.prior((size, size, 2), image_seeds(7, 0, 5)).numpy()
    assert many.dtype == np.float32 and many.shape == (5, size, size, 2 * sde.components)
    few = sde.prior((size, size, 2), image_seeds(7, 3, 2)).numpy()
    # the same bits; their logarithms may differ in the last one with the place in memory
    np.testing.assert_allclose(few, many[3:], rtol=1e-6, atol=1e-6)
    assert np.abs(many[0] - many[1]).max() > 0.1


@every_sde
def test_the_prior_scale_is_close_to_the_root_at_the_last_time(name):
    sde = cases.sde(name)
    scale = sde.prior_scale()
    assert scale.shape == (*sde.modes, sde.components, sde.components)
    covariance = sde.covariance(sde.t_max)
    tolerance = 0.6 if name in ("cld_slope", "cld_heavy") else 0.01  # these forget more slowly
    assert cases.relative_error(scale @ transpose(scale), covariance) < tolerance


@every_sde
def test_training_times_cover_the_interval(name):
    sde = cases.sde(name)
    t = sde.training_times(tf.constant([0.0, 0.5, np.nextafter(1.0, 0.0)], tf.float64)).numpy()
    assert 0 < t[0] < 1e-4 * sde.t_max or (name.startswith("discrete") and t[0] == 1)
    assert t[-1] <= sde.t_max
    assert abs(t[1] - 0.5 * sde.t_max) < 2e-3 * sde.t_max


# ---- serialisation ------------------------------------------------------------------------------


@every_sde
def test_an_sde_survives_keras_serialisation(name):
    sde = cases.sde(name)
    config = keras.saving.serialize_keras_object(sde)
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(sde)
    assert copy.get_config() == sde.get_config()
    t = cases.times(sde)
    np.testing.assert_array_equal(copy.root(t), sde.root(t))
    assert (copy.t_min, copy.t_max, copy.modes) == (sde.t_min, sde.t_max, sde.modes)


def test_the_representation_is_the_constructor_call():
    assert repr(VESDE()) == "VESDE(sigma_min=0.01, sigma_max=50.0, schedule='geometric')"
    assert len(repr(DiscreteVPSDE(np.full(1000, 0.01)))) < 200


def test_an_incomplete_subclass_says_what_it_lacks():
    class Bare(LinearSDE):
        pass

    lacking = "covariance, diffusion, drift, get_config, root, transition"
    with pytest.raises(TypeError, match=f"abstract class Bare with abstract methods {lacking}"):
        Bare()


@pytest.mark.parametrize("ends", [(0.5, 0.5), (-0.1, 1.0), (1.0, 0.5)])
def test_the_ends_of_time_must_increase(ends):
    with pytest.raises(ValueError, match=rf"0 <= t_min < t_max, received {ends[0]} and {ends[1]}"):
        check_times(*ends)
    with pytest.raises(ValueError, match="t_max"):
        VPSDE(t_min=ends[0], t_max=ends[1])
