"""A served model that compiles fast, and the images it must give."""

import keras
import numpy as np
import pytest

from gddim_tf import sdes, serving
from gddim_tf.data import to_uint8
from gddim_tf.models import DiffusionModel
from gddim_tf.samplers import DDIM
from tests.conftest import OwnNetwork

BUDGETS = {"sample_10": (DDIM(), 10), "sample_50": (DDIM(), 50), "noisy_3": (DDIM(eta=1.0), 3)}
CLASSES = 3


@keras.saving.register_keras_serializable(package="tests")
class LabelledNetwork(OwnNetwork):
    """A user's own network with three classes, each of which shifts the images."""

    def __init__(self, components=1, filters=8, **kwargs):
        super().__init__(components, filters, **kwargs)
        self.num_classes = CLASSES

    def call(self, x, time, labels=None, training=False):
        labels = CLASSES * keras.ops.ones_like(time, "int32") if labels is None else labels
        shift = keras.ops.reshape(keras.ops.cast(labels, "float32"), (-1, 1, 1, 1))
        return super().call(x, time) + 0.2 * shift


def labelled_model(sde=None):
    """A small model with classes."""
    keras.utils.set_random_seed(0)
    sde = sde or sdes.VPSDE()
    return DiffusionModel(LabelledNetwork(sde.components), sde, "v")


class Served:
    """An exported model beside the one it came from.

    Attributes:
      path: of version 1.
      model: the model in Python.
      seeds, labels: of four images.
      state: starting states for `decode` and `denoise`.
    """

    def __init__(self, directory):
        self.model = labelled_model()
        self.path = serving.export(self.model, directory, BUDGETS, batch_sizes=(1, 4))
        self.seeds = np.array([[7, 0], [7, 1], [7, 2], [7, 3]], np.int32)
        self.labels = np.array([0, 1, 2, CLASSES], np.int32)
        self.state = np.random.default_rng(0).standard_normal((4, 8, 8, 1)).astype(np.float32)

    def inputs(self, guidance=1.0, **others):
        """Of the signatures that sample."""
        guidance = np.full(4, guidance, np.float32)
        return {"seed": self.seeds, "label": self.labels, "guidance": guidance, **others}

    def images(self, name, guidance=1.0):
        """What the signature of this name must give, from `model.sample`."""
        sampler, nfe = BUDGETS[name]
        options = {"seed": 7, "labels": self.labels, "guidance": guidance}
        return np.asarray(to_uint8(self.model.sample(4, sampler, nfe, **options)))


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    return Served(tmp_path_factory.mktemp("served") / "shades")


def assert_same_images(received, expected):
    """Equal but for a rounding of the last bit, which the size of a batch may cause."""
    gap = np.abs(np.asarray(received).astype(int) - expected.astype(int))
    assert gap.max() <= 1
    assert (gap > 0).mean() < 0.02
