"""Blurring diffusion against the published code."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.sdes import BDM

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "bdm_core.npz")


def on_image(sde, values):
    """Values per mode `[..., modes]` as `[..., height, width]`."""
    return values[..., sde.mode_index[..., 0]]


def test_the_schedule_is_that_of_gddim():
    sde, t = BDM(8), GOLDEN["t"]
    np.testing.assert_allclose(sde.root(t)[:, 0, 0, 0], GOLDEN["std"], atol=1e-13)
    np.testing.assert_allclose(sde.t_max, GOLDEN["sampling_T"], rtol=1e-15)
    signal = on_image(sde, np.exp(sde.log_signal(t)))
    np.testing.assert_allclose(signal, GOLDEN["mean_coef_8"], rtol=1e-13)
    drift = on_image(sde, sde.drift(t)[..., 0, 0])
    np.testing.assert_allclose(drift, GOLDEN["f_exact_8"], rtol=1e-12)
    diffusion = on_image(sde, sde.diffusion(t)[..., 0, 0])
    np.testing.assert_allclose(diffusion**2, GOLDEN["g2_exact_8"], rtol=1e-12)


def test_at_32_pixels_too():
    sde = BDM(32)
    signal = on_image(sde, np.exp(sde.log_signal(GOLDEN["t_32"])))
    np.testing.assert_allclose(signal, GOLDEN["mean_coef_32"], rtol=1e-13)
    assert len(sde.modes) == 1 and sde.modes[0] < 32 * 32 / 2


def test_the_largest_ratio_is_relatively_exact():
    sde = BDM(8)
    ratio = sde.transition(sde.t_max, 0.0)
    assert 1e-6 < ratio.min() < 1e-4
    np.testing.assert_allclose(ratio * sde.transition(0.0, sde.t_max), 1.0, rtol=1e-13)


def test_states_are_cosine_coefficients():
    sde, images = BDM(8), tf.constant(GOLDEN["dct_in"])
    np.testing.assert_allclose(sde.from_pixels(images), GOLDEN["dct_out"], atol=1e-13)
    np.testing.assert_allclose(sde.to_pixels(sde.from_pixels(images)), images, atol=1e-13)


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_odd_and_tiny_images(size):
    sde = BDM(size)
    images = tf.random.stateless_uniform((2, size, size, 3), [0, 1], -1.0, 1.0, tf.float64)
    np.testing.assert_allclose(sde.to_images(sde.to_state(images)), images, atol=1e-13)
    assert sde.perturb(images, tf.constant([0.1, 0.9], tf.float64), images).shape == images.shape
    # the constant frequency is not blurred
    constant = sde.transition(0.5, 0.1)[0, 0, 0]
    alpha = np.cos(0.5 * np.pi * (np.array([0.5, 0.1]) + 0.004) / 1.008) ** 2
    np.testing.assert_allclose(constant, np.sqrt(alpha[0] / alpha[1]), rtol=1e-13)


def test_equal_frequencies_share_a_mode():
    sde = BDM(6)
    index = sde.mode_index[..., 0]
    np.testing.assert_array_equal(index, index.T)
    assert index[3, 4] == index[5, 0] and index[0, 0] == 0
    assert sorted(set(index.ravel())) == list(range(sde.modes[0]))


def test_without_blur_it_is_variance_preserving():
    sde = BDM(4, sigma_blur=0.0)
    ratio = sde.transition(0.7, 0.2)
    np.testing.assert_array_equal(ratio, np.broadcast_to(ratio[0], ratio.shape))


def test_noise_over_signal_is_that_without_blur():
    sde = BDM(4)
    rho = sde.rho(sde.t_max) * np.cos(0.5 * np.pi * 0.004 / 1.008)
    np.testing.assert_allclose(rho, 80.0 + sde.root(0.0)[0, 0, 0], rtol=1e-12)
    np.testing.assert_array_equal(sde.prior_scale(), np.ones((*sde.modes, 1, 1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 0}, "`image_size` must be at least 1, received 0"),
        ({"image_size": 4, "sigma_blur": -1.0}, "`sigma_blur` must be at least 0, received -1.0"),
        ({"image_size": 4, "min_scale": 0.0}, r"`min_scale` must be in \(0, 1\], received 0.0"),
        ({"image_size": 4, "min_scale": 1.5}, r"`min_scale` must be in \(0, 1\], received 1.5"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        BDM(**arguments)


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"`image_size` 4 takes .* received \(1, 5, 4, 3\)"):
        BDM(4).to_state(tf.zeros((1, 5, 4, 3)))
    with pytest.raises(ValueError, match=r"received \(1, 4\)"):
        BDM(4).to_state(tf.zeros((1, 4)))
