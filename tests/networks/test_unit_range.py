"""A network that was trained on images in [0, 1], from its own numbers to a served picture."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import sdes, serving
from gddim_tf.data import to_uint8
from gddim_tf.models import DiffusionModel
from gddim_tf.models.opening import load, save
from gddim_tf.networks import ScoreUNet, UnitRange
from gddim_tf.samplers import DDIM

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

GREY = 0.75  # in [0, 1], that is 0.5 in [-1, 1] and 191 in uint8
IN_UNIT_RANGE = sdes.VESDE(0.01, 50.0)
DOUBLED = sdes.VESDE(0.02, 100.0)


@keras.saving.register_keras_serializable(package="tests")
class GreyImages(keras.Model):
    """The exact score of images in [0, 1] that are all of one grey; told sigma."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.image_size, self.channels, self.num_classes = 8, 1, 0
        self.components, self.out_channels = 1, 1
        self.grey = self.add_weight(shape=(), initializer=keras.initializers.Constant(GREY))
        self.built = True

    def call(self, x, time, labels=None, training=False):
        return (self.grey - x) / keras.ops.reshape(time, (-1, 1, 1, 1)) ** 2


@pytest.fixture(scope="module")
def model():
    return DiffusionModel(UnitRange(GreyImages()), DOUBLED, "score")


def test_samples_and_encodings_are_in_the_range_of_images(model):
    images = model.sample(2, DDIM(), nfe=10)
    assert images.mean() == pytest.approx(0.5, abs=0.01)
    assert np.abs(images - 0.5).max() < 0.1  # sigma is 0.02 where sampling ends
    assert abs(np.asarray(to_uint8(images)).mean() - 191) < 2
    clipped = model.sample(2, DDIM(clip=1.0), nfe=10)
    np.testing.assert_allclose(clipped, images, atol=1e-4)  # nothing of it was outside


def test_it_survives_its_file_and_its_export(model, tmp_path):
    again = load(save(model, tmp_path / "grey.keras"))
    np.testing.assert_array_equal(again.sample(2, DDIM(), 5), model.sample(2, DDIM(), 5))
    path = serving.export(model, tmp_path / "grey", {"sample_10": (DDIM(), 10)}, batch_sizes=[2])
    image = tf.saved_model.load(str(path)).signatures["sample_10"](seed=tf.constant([1, 2]))
    assert abs(image["image"].numpy().mean() - 191) < 2


def test_eps_is_that_of_the_network_in_its_own_range():
    options = {"image_size": 8, "embedding": "fourier", "scale_by_sigma": True, "centered": False}
    network = ScoreUNet.from_preset("ddpm_tiny", out_channels=1, **options)
    for index, weight in enumerate(network.trainable_weights):
        weight.assign(weight + 0.05 * np.random.default_rng(index).standard_normal(weight.shape))
    plain = DiffusionModel(network, IN_UNIT_RANGE, "score")
    wrapped = DiffusionModel(UnitRange(network), DOUBLED, "score")
    u = tf.random.stateless_normal([3, 8, 8, 1], [0, 0])
    t = tf.constant([0.01, 0.3, 1.0])
    np.testing.assert_allclose(wrapped.eps(2 * u - 1, t), plain.eps(u, t), atol=1e-4)
    assert wrapped.eps(u, t).numpy().std() > 0.01


def test_it_learns_in_the_range_of_images():
    network = GreyImages()
    network.grey.assign(0.0)
    model = DiffusionModel(UnitRange(network), DOUBLED, "score", weighting="eps")
    model.compile(keras.optimizers.Adam(0.05))
    data = tf.data.Dataset.from_tensors(np.full((16, 8, 8, 1), 0.5, np.float32)).repeat()
    model.fit(data, steps_per_epoch=100, epochs=1, verbose=0)
    assert float(network.grey) == pytest.approx(GREY, abs=0.05)
