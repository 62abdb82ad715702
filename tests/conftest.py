"""What all tests share."""

import functools
import gc
import pathlib
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf

import gddim_tf
from gddim_tf import models, sdes
from gddim_tf.models import DiffusionModel
from gddim_tf.networks import PRESETS, ScoreUNet


@keras.saving.register_keras_serializable(package="tests")
class OwnNetwork(keras.Model):
    """A user's own network: what `DiffusionModel` asks for, in a few lines that compile fast."""

    def __init__(self, components=1, filters=8, **kwargs):
        super().__init__(**kwargs)
        self.image_size, self.channels, self.num_classes = 8, 1, 0
        self.components, self.out_channels = components, 1
        # weights that do not depend on which tests ran before
        first, second = (keras.initializers.GlorotUniform(seed) for seed in (0, 1))
        options = {"padding": "same", "activation": "silu", "kernel_initializer": first}
        self.hidden = keras.layers.Conv2D(filters, 3, **options)
        self.out = keras.layers.Conv2D(1, 3, padding="same", kernel_initializer=second)
        self.hidden.build((None, 8, 8, components + 1))
        self.out.build((None, 8, 8, filters))
        self.built = True

    def call(self, x, time, labels=None, training=False):
        time = keras.ops.reshape(time / 1000.0, (-1, 1, 1, 1)) * keras.ops.ones_like(x[..., :1])
        return self.out(self.hidden(keras.ops.concatenate([x, time], axis=-1)))

    def get_config(self):
        return {"components": self.components, "filters": self.out.kernel.shape[2]}


def pytest_collection_finish(session):
    """Let later collections of garbage leave out what the imports made, which is most."""
    gc.collect()
    gc.freeze()


# Of a U-Net that is built and compiled fast: one level, and nothing in the middle. A group of a
# single channel would take away what time and class add to it.
FLAT = {"channel_multipliers": (1,), "attention_resolutions": (), "middle": "none"}
FLAT["norm_groups"] = 2


def own_model(sde=None, **options):
    """A small model around a user's own network."""
    sde = sde or sdes.VPSDE()
    return DiffusionModel(OwnNetwork(sde.components, **options), sde, "v")


def tiny_model(sde=None, **overrides):
    """A small untrained model around a U-Net whose output is not zero."""
    sde = sde or sdes.VPSDE()
    options = {"components": sde.components, "out_channels": 1, **overrides}
    # weights that do not depend on which tests ran before
    keras.utils.set_random_seed(0)
    network = ScoreUNet.from_preset("ddpm_tiny", **options)
    for index, weight in enumerate(network.trainable_weights):
        weight.assign(weight + 0.05 * np.random.default_rng(index).standard_normal(weight.shape))
    return DiffusionModel(network, sde, "v")


@pytest.fixture(scope="session")
def model():
    """An unconditional model on the continuous VP diffusion."""
    return tiny_model(**FLAT)


@pytest.fixture(scope="session")
def conditional_model():
    """A model with ten classes."""
    return tiny_model(num_classes=10, **FLAT)


@pytest.fixture(scope="session")
def reference():
    """The digits as evaluations see them, looked at once."""
    from gddim_tf.evaluation import DigitsFeatures
    from gddim_tf.evaluation.reference import Reference

    return Reference("digits", DigitsFeatures(), 8)


@pytest.fixture
def flat_networks(monkeypatch):
    """The networks of 8x8 images with one level, so that they compile fast."""
    for name in ("ddpm_tiny", "ddpm_digits"):
        monkeypatch.setitem(PRESETS, name, {**PRESETS[name], **FLAT})


@pytest.fixture(scope="module")
def unoptimised_graphs():
    """Graphs run as they were traced: to optimise one that runs once takes a third of a test.

    The tests of the loop, of numbers that are equal to the bit, of what servers answer and all that
    start a process run what users do.
    """
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


@functools.cache
def shipped(name):
    """A model of `saved_models/`, read once; it cannot be changed."""
    return models.load(pathlib.Path(__file__).parents[1] / "saved_models" / name)


@pytest.fixture
def shipped_once(monkeypatch):
    """`gd.load` finds the shipped models in any folder, and reads each once for all tests."""

    def load(path):
        path = pathlib.Path(path)
        return shipped(path.name) if path.parent.name == "saved_models" else models.load(path)

    monkeypatch.setattr(gddim_tf, "load", load)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own with room for 300 kB; only root can mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)
