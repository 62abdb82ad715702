"""Bits per dimension against closed forms."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from gddim_tf.evaluation import bits_per_dim, dequantise
from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.numerics.dct import dct
from gddim_tf.numerics.image_noise import fold_in, image_seeds
from gddim_tf.samplers import RK45
from gddim_tf.sdes import BDM, CLD, VPSDE
from tests.conftest import own_model
from tests.oracles import Mixture
from tests.samplers.test_density import exact_log_density

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


class Known(GenerativeModel):
    """A model whose data are Gaussian in every coordinate of the image; labels spoil it."""

    num_classes = 3

    def __init__(self, sde, variance=0.1, size=8):
        self.sde, self.image_shape = sde, (size, size, 1)
        self.data = Mixture.gaussian(sde, np.zeros(self.image_shape), variance)
        self._network = self.data.differentiable_eps_fn()

    def eps(self, u, t, labels=None):
        eps = self._network(u, t)
        if labels is None:
            return eps
        return eps * (1 + 0.1 * tf.reshape(tf.cast(labels, u.dtype), [-1, 1, 1, 1]))

    def fingerprint(self):
        return "known"


IMAGES = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1)).astype(np.uint8)


@pytest.mark.parametrize("sde", [VPSDE(), BDM(8)])
def test_bits_of_gaussian_data(sde):
    """The variance of white noise is the same in the cosine basis."""
    model = Known(sde)
    found = bits_per_dim(model, IMAGES, seed=5, solver=RK45(rtol=1e-6, atol=1e-6))
    assert found.bits.dtype == np.float64 and found.bits.shape == (2,)
    assert found.probes == 0
    x = dequantise(IMAGES, fold_in(image_seeds(5, 0, 2), 0)).numpy()
    u = dct(tf.constant(x), 8).numpy() if sde.modes else x
    exact = exact_log_density(model.data, u, sde.t_min)
    np.testing.assert_allclose(found.bits, 7 - exact / (64 * np.log(2)), atol=1e-4)


def test_velocities_give_an_upper_bound_that_is_tight_without_noise_at_the_start():
    """At the limit t = 0, x and v are independent, and `log p(x, v) - log q(v)` is `log p(x)`."""
    model = Known(CLD(), size=2)
    options = {"start": 1e-6, "probes": 0, "solver": RK45(rtol=1e-4, atol=1e-4)}
    images = np.rint(IMAGES[:, :2, :2] // 16 * (255 / 16)).astype(np.uint8)
    found = bits_per_dim(model, images, levels=17, **options)
    x = dequantise(images, fold_in(image_seeds(0, 0, 2), 0), 17).numpy()
    variance = 0.1 + 1e-6
    log_p = scipy.stats.norm(0, np.sqrt(variance)).logpdf(x).sum((1, 2, 3))
    np.testing.assert_allclose(found.bits, np.log2(17 / 2) - log_p / (4 * np.log(2)), atol=0.02)


def test_noise_follows_the_image():
    model = own_model()
    solver = RK45(rtol=1e-5, atol=1e-5)
    both = bits_per_dim(model, IMAGES, seed=1, first=3, probes=2, solver=solver)
    second = bits_per_dim(model, IMAGES[1:], seed=1, first=4, probes=2, solver=solver)
    np.testing.assert_allclose(second.bits, both.bits[1:], atol=1e-3)
    assert both.probes == 2
    other = bits_per_dim(model, IMAGES, seed=2, first=3, probes=2, solver=solver)
    assert np.abs(other.bits - both.bits).min() > 5e-3


def test_labels_are_conditions():
    model = Known(VPSDE())
    options = {"probes": 1, "solver": RK45(rtol=1e-4, atol=1e-4)}
    plain = bits_per_dim(model, IMAGES, **options).bits
    found = bits_per_dim(model, IMAGES, [0, 1], **options).bits
    np.testing.assert_allclose(found[0], plain[0], atol=1e-2)
    assert abs(found[1] - plain[1]) > 0.05


def test_errors():
    model = own_model()
    with pytest.raises(ValueError, match=r"`images` must be \[batch, \*\(8, 8, 1\)\]"):
        bits_per_dim(model, IMAGES[:, :4])
    with pytest.raises(ValueError, match="`probes` must be at least 0, received -1"):
        bits_per_dim(model, IMAGES, probes=-1)
    with pytest.raises(ValueError, match="`labels` must be None for a model without classes"):
        bits_per_dim(model, IMAGES, [0, 1])
    with pytest.raises(ValueError, match="`end` must be above 0"):
        RK45().solve_with_volume(VPSDE(), model.eps, tf.zeros([1, 8, 8, 1]), start=1.0, end=0.0)
