import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.models.generative_model import GenerativeModel
from gddim_tf.samplers import GDDIM, run
from gddim_tf.sdes import VPSDE, DiscreteVPSDE
from tests.oracles import Mixture

SHAPE, VARIANCE = (1, 2, 1), 0.3
MEAN = np.array([0.4, -0.2]).reshape(SHAPE)


class Exact(GenerativeModel):
    """The exact eps of Gaussian data, as a model; it notes when it is asked."""

    def __init__(self, sde, num_classes=0):
        self.sde, self.image_shape, self.num_classes = sde, SHAPE, num_classes
        self.data, self.times = Mixture.gaussian(sde, MEAN, VARIANCE), []

    def eps(self, u, t, labels=None):
        def evaluate(u, t):
            self.times.append(float(t[0]))
            return self.data.eps(u, float(t[0])).astype(u.dtype)

        return tf.ensure_shape(tf.numpy_function(evaluate, [u, t], u.dtype), u.shape)

    def fingerprint(self):
        return "exact"


def test_a_model_must_know_eps_and_tell_its_weights_from_others():
    with pytest.raises(TypeError, match="abstract methods eps, fingerprint"):
        GenerativeModel()


@pytest.mark.parametrize(
    ("labels", "count", "message"),
    [
        (2**32 + 1, 2, r"in \[0, 3\], 3 for no class, received 4294967297"),
        ([0, -1], 2, r"in \[0, 3\], 3 for no class, received -1$"),
        (1.9, 2, "whole numbers, one for all images or one for each of 2, received float64"),
        ([1, 2, 3], 2, r"one for each of 2, received int64 of shape \(3,\)"),
        ("1", 2, "of numbers, for this model knows no names of its 3 classes, received '1'"),
    ],
)
def test_labels_are_checked(labels, count, message):
    with pytest.raises(ValueError, match=f"`labels` must be .*{message}"):
        Exact(VPSDE(), num_classes=3).check_labels(labels, count)


def test_labels():
    model = Exact(VPSDE(), num_classes=3)
    np.testing.assert_array_equal(model.check_labels(3, 2), [3, 3])
    np.testing.assert_array_equal(model.check_labels(np.uint8([1, 0]), 2), [1, 0])
    assert model.check_labels(1, 0).shape == (0,)
    with pytest.raises(ValueError, match="`labels` must be None for a model without classes"):
        Exact(VPSDE()).check_labels(0, 1)


@pytest.mark.parametrize(
    "sde", [VPSDE(), DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000))], ids=["vp", "discrete"]
)
def test_there_and_back(sde):
    """The flow of a Gaussian scales the distance from the mean like the standard deviation."""
    model, sampler = Exact(sde), GDDIM(order=3, variable="rho")
    images = np.random.default_rng(0).uniform(-1, 1, (4, *SHAPE)).astype(np.float32)
    code = model.encode(images, sampler, 100)
    assert min(model.times) == pytest.approx(sde.t_first)
    signal = float(sde.transition(sde.t_max, 0.0).squeeze())
    spread = np.sqrt(signal**2 + float(sde.covariance(sde.t_max).squeeze()) / VARIANCE)
    np.testing.assert_allclose(code, signal * MEAN + spread * (images - MEAN), atol=5e-3)
    again = run(sampler.table(sde, 100), model.eps, code)
    np.testing.assert_allclose(again, images, atol=5e-3)
