import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import sdes
from gddim_tf.models.prediction import output_components, prediction_of
from tests.oracles import Mixture

SDES = [sdes.VPSDE(), sdes.VESDE(), sdes.CLD(), sdes.BDM(4)]


@pytest.mark.parametrize("sde", SDES, ids=lambda sde: type(sde).__name__)
@pytest.mark.parametrize("kind", ["eps", "eps_cholesky", "score", "x0", "v"])
def test_the_right_output_gives_the_noise_back(sde, kind):
    rng = np.random.default_rng(0)
    images = tf.constant(rng.uniform(-1, 1, (5, 4, 4, 2)))
    noise = tf.constant(rng.standard_normal((5, 4, 4, 2 * sde.components)))
    t = tf.constant(np.linspace(0.05, 0.9, 5) * sde.t_max)
    u = sde.perturb(images, t, noise)
    prediction = prediction_of(kind, sde, u, t)
    output = prediction.target(sde.from_pixels(images), noise)
    np.testing.assert_allclose(prediction.eps(output), noise, atol=1e-9)


@pytest.mark.parametrize("sde", [sdes.CLD(), sdes.PSLD(), sdes.HOLD()], ids=str)
@pytest.mark.parametrize("kind", ["eps_mixed", "velocity", "velocity_mixed"])
def test_the_right_output_for_velocities_gives_the_noise_back(kind, sde):
    rng = np.random.default_rng(2)
    images = rng.uniform(-1, 1, (5, 4, 4, 2))
    noise = rng.standard_normal((5, 4, 4, 2 * sde.components))
    t = tf.constant(np.linspace(0.05, 0.9, 5))
    u = sde.perturb(tf.constant(images), t, tf.constant(noise))
    prediction = prediction_of(kind, sde, u, t)
    output = prediction.target(tf.constant(images), tf.constant(noise))
    np.testing.assert_allclose(prediction.eps(output), noise, atol=1e-8)
    with pytest.raises(ValueError, match="needs an SDE of 2 components"):
        output_components(kind, sdes.VPSDE())


@pytest.mark.parametrize("sde", [sdes.RectifiedFlow(shift=2.0), sdes.VPSDE(zero_snr=True)], ids=str)
@pytest.mark.parametrize("kind", ["flow", "v", "x0"])
def test_samplers_are_told_the_data_where_no_signal_is_left(kind, sde):
    rng = np.random.default_rng(0)
    images, noise = rng.uniform(-1, 1, (3, 4, 4, 1)), rng.standard_normal((3, 4, 4, 1))
    t = tf.constant([0.3, 0.8, 1.0], tf.float64)
    u = sde.perturb(tf.constant(images), t, tf.constant(noise))
    prediction = prediction_of(kind, sde, u, t)
    target = prediction.target(tf.constant(images), tf.constant(noise))
    np.testing.assert_allclose(prediction.eps(target), noise, atol=1e-9)
    told = prediction.sampled(target)
    np.testing.assert_allclose(told[:2], noise[:2], atol=1e-9)
    np.testing.assert_allclose(told[2], images[2], atol=1e-9)
    if kind == "flow":
        np.testing.assert_allclose(target, noise - images)
    if kind == "v":
        np.testing.assert_allclose(target[2], images[2], atol=1e-9)


def test_a_noise_says_nothing_where_no_signal_is_left():
    with pytest.raises(ValueError, match=r'`prediction` must be "x0", "v" or "flow" on Rect'):
        output_components("eps", sdes.RectifiedFlow())
    with pytest.raises(ValueError, match='"flow" needs an SDE of 1 component'):
        output_components("flow", sdes.CLD())
    assert output_components("flow", sdes.VPSDE()) == 1


@pytest.mark.parametrize("sde", SDES, ids=lambda sde: type(sde).__name__)
def test_v_is_zero_for_standard_normal_data(sde):
    shape = (4, 4, 1)
    data = Mixture.gaussian(sde, np.zeros(shape), 1.0)
    t = 0.4 * sde.t_max
    u = data.sample_state(6, t)
    prediction = prediction_of("v", sde, tf.constant(u), tf.fill([6], tf.constant(t, tf.float64)))
    eps = prediction.eps(tf.zeros((6, *shape), tf.float64))
    np.testing.assert_allclose(eps, data.eps(u, t), atol=2e-5)
    # and the input has unit variance
    draws = data.sample_state(4000, t)
    many = prediction_of("v", sde, tf.constant(draws), tf.fill([4000], tf.constant(t, tf.float64)))
    np.testing.assert_allclose(np.std(many.inputs(), axis=(0, 1, 2)), 1.0, atol=0.03)


def test_on_a_variance_preserving_diffusion_v_is_that_of_the_paper():
    sde = sdes.VPSDE()
    rng = np.random.default_rng(1)
    x, z = rng.uniform(-1, 1, (2, 4, 4, 1)), rng.standard_normal((2, 4, 4, 1))
    t = np.array([0.2, 0.7])
    u = sde.perturb(tf.constant(x), tf.constant(t), tf.constant(z))
    prediction = prediction_of("v", sde, u, tf.constant(t))
    alpha = np.exp(sde.log_signal(t))[:, None, None, None]
    sigma = np.sqrt(sde.variance(t))[:, None, None, None]
    target = prediction.target(tf.constant(x), tf.constant(z))
    np.testing.assert_allclose(target, -(alpha * z - sigma * x), atol=1e-5)


def test_output_channels():
    assert output_components("eps", sdes.CLD()) == 2
    assert output_components("v", sdes.CLD()) == 1
    with pytest.raises(ValueError, match="`prediction` must be one of"):
        output_components("noise", sdes.CLD())


@pytest.mark.parametrize("sde", SDES, ids=lambda sde: type(sde).__name__)
def test_eps_of_the_cholesky_factor_is_the_noise_of_a_state_made_with_it(sde):
    t = tf.constant(np.linspace(0.05, 0.9, 5) * sde.t_max)
    noise = tf.constant(np.random.default_rng(3).standard_normal((5, 4, 4, 2 * sde.components)))
    factor = tf.constant(np.stack([sde.cholesky(time) for time in t.numpy()]))
    u = sde.apply(factor, noise, batched=True)  # of a black image
    eps = prediction_of("eps_cholesky", sde, u, t).eps(noise)
    root = tf.constant(np.stack([sde.root(time) for time in t.numpy()]))
    np.testing.assert_allclose(sde.apply(root, eps, batched=True), u, atol=1e-5)


@pytest.mark.parametrize("sde", SDES, ids=lambda sde: type(sde).__name__)
@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
def test_weightings(sde, kind):
    """An error of eps along b counts 1 in "eps" and min(1, sqrt(5 / SNR)) in "min_snr"."""
    rng = np.random.default_rng(4)
    images = tf.constant(rng.uniform(-1, 1, (5, 4, 4, 1)))
    noise = tf.constant(rng.standard_normal((5, 4, 4, sde.components)))
    times = np.linspace(0.05, 0.9, 5) * sde.t_max
    prediction = prediction_of(kind, sde, sde.perturb(images, tf.constant(times), noise), times)
    clean = sde.from_pixels(images)
    right = prediction.target(clean, noise)
    wrong = right + tf.constant(rng.standard_normal(right.shape))
    errors = {}
    for weighting in ("target", "eps", "min_snr"):
        np.testing.assert_allclose(prediction.error(right, clean, noise, weighting), 0, atol=1e-9)
        errors[weighting] = prediction.error(wrong, clean, noise, weighting).numpy()
    np.testing.assert_allclose(errors["target"], wrong - right, atol=1e-12)
    np.testing.assert_allclose(errors["eps"], prediction.eps(wrong) - noise, atol=1e-9)
    for i, time in enumerate(times):
        column = sde.transition(time, 0.0)[..., :, :1]
        snr = np.swapaxes(column, -1, -2) @ np.linalg.solve(sde.covariance(time), column)
        factor = np.sqrt(np.minimum(1.0, 5.0 / snr))[..., 0, 0]
        if sde.mode_index is not None:
            factor = factor[sde.mode_index]
        np.testing.assert_allclose(
            errors["min_snr"][i], factor * errors["eps"][i], rtol=1e-4, atol=1e-4
        )
