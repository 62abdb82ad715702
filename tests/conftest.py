"""What all tests share."""

import pytest

from gddim_tf import sdes
from gddim_tf.networks import ScoreUNet
from gddim_tf.training import DiffusionModel


def tiny_model(sde=None, **overrides):
    """A small untrained model whose output is not zero."""
    sde = sde or sdes.VPSDE()
    network = ScoreUNet.from_preset("ddpm_tiny", components=sde.components, **overrides)
    for index, weight in enumerate(network.trainable_weights):
        weight.assign(weight + 0.05 * _noise(weight.shape, index))
    return DiffusionModel(network, sde)


def _noise(shape, seed):
    import numpy as np

    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.fixture(scope="session")
def model():
    """An unconditional model on the continuous VP diffusion."""
    return tiny_model()


@pytest.fixture(scope="session")
def conditional_model():
    """A model with ten classes."""
    return tiny_model(num_classes=10)
