"""The variance exploding diffusion."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.models.prediction import prediction_of
from gddim_tf.samplers import DDIM
from gddim_tf.sdes import VESDE, make

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "deis_schedules.npz")


def test_the_geometric_schedule():
    sde = VESDE(sigma_min=0.01, sigma_max=50.0)
    np.testing.assert_allclose(sde.root(GOLDEN["ve_t"])[:, 0, 0], GOLDEN["ve_sigma"], rtol=1e-14)
    rho = sde.rho(GOLDEN["ve_rho7_N10_ts"])
    np.testing.assert_allclose(rho, GOLDEN["ve_rho7_N10_rho"], rtol=1e-14)
    assert (sde.t_min, sde.t_max) == (1e-5, 1.0)
    np.testing.assert_array_equal(sde.transition(0.9, 0.1), [[1.0]])


def test_the_network_is_told_the_noise_level():
    t = np.array([0.1, 0.7])
    np.testing.assert_allclose(VESDE().time_label(t), VESDE().root(t)[:, 0, 0])
    np.testing.assert_allclose(VESDE.karras().time_label(3.0), np.log(3.0) / 4, rtol=1e-6)


def test_the_time_of_karras_is_the_noise_level():
    sde = VESDE.karras(sigma_min=0.002, sigma_max=80.0)
    assert (sde.t_min, sde.t_max, sde.schedule) == (0.002, 80.0, "linear")
    np.testing.assert_allclose(sde.root(3.0), [[3.0]])
    np.testing.assert_allclose(sde.diffusion(3.0), [[np.sqrt(6.0)]])
    np.testing.assert_allclose(sde.prior_scale(), [[80.0]])


def test_arguments_are_checked():
    with pytest.raises(ValueError, match=r"`schedule` must be .*received 'cubic'"):
        VESDE(schedule="cubic")
    for sigmas in ((0.0, 1.0), (2.0, 1.0)):
        with pytest.raises(ValueError, match=rf"`sigma_min`.*received {sigmas[0]} and {sigmas[1]}"):
            VESDE(*sigmas)


@pytest.mark.parametrize("schedule", ["geometric", "linear"])
def test_the_times_may_be_chosen(schedule):
    sde = VESDE(0.01, 50.0, schedule, t_min=0.05, t_max=0.9)
    assert (sde.t_min, sde.t_max) == (0.05, 0.9)
    assert repr(VESDE.from_config(sde.get_config())) == repr(sde)
    times = DDIM().table(sde, 4).time
    assert (times[0], times.min() >= 0.05) == (0.9, True)
    np.testing.assert_array_equal(sde.covariance(0.5), VESDE(0.01, 50.0, schedule).covariance(0.5))
    for t_min, t_max in ((0.9, 0.05), (-0.1, 1.0), (0.5, 0.5)):
        with pytest.raises(ValueError, match="`t_min` and `t_max` must satisfy"):
            VESDE(schedule=schedule, t_min=t_min, t_max=t_max)


def test_log_normal_training_times():
    sde = make("edm", 32)
    uniform = (np.arange(1000) + 0.5) / 1000
    levels = np.log(sde.training_times(tf.constant(uniform)).numpy())
    np.testing.assert_allclose([levels.mean(), levels.std()], [-1.2, 1.2], rtol=5e-3)
    ends = sde.training_times(tf.constant([0.0, 1.0 - 1e-16], tf.float64)).numpy()
    np.testing.assert_allclose(ends, [8e-4, 80.0])
    assert sde.t_first == sde.t_min
    assert VESDE.from_config(sde.get_config()).get_config() == sde.get_config()
    for arguments in ({"log_normal": (0.0, 1.0)}, {"schedule": "linear", "log_normal": (0.0, 0.0)}):
        with pytest.raises(ValueError, match="`log_normal` must be a mean and a positive deviat"):
            VESDE(**arguments)


def test_the_error_of_v_is_what_edm_trains():
    """`(sigma^2 + s^2) / (sigma s)^2 |D - x|^2`, the loss of EDM, eq. 8 with its weight."""
    sde, s = make("edm", 4), 0.5
    rng = np.random.default_rng(0)
    clean, noise = rng.uniform(-1, 1, (3, 4, 4, 1)), rng.standard_normal((3, 4, 4, 1))
    t = np.array([0.05, 0.4, 3.0])
    u = sde.perturb(tf.constant(clean), tf.constant(t), tf.constant(noise))
    prediction = prediction_of("v", sde, u, tf.constant(t), data_std=s)
    output = tf.constant(rng.standard_normal(clean.shape))
    error = prediction.error(output, tf.constant(clean), tf.constant(noise), "target").numpy()
    denoised = prediction.clean(output).numpy()
    weight = ((t**2 + s**2) / (t * s) ** 2)[:, None, None, None]
    np.testing.assert_allclose(error**2, weight * (denoised - clean) ** 2, rtol=1e-4)
