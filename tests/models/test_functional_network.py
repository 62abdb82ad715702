import keras
import numpy as np
import pytest

from gddim_tf import sdes
from gddim_tf.models import DiffusionModel, load, save
from tests.conftest import OwnNetwork


def functional(num_classes=0, inputs=None, **numbers):
    """A network as many people write one."""
    x, time, labels = (
        keras.Input((8, 8, 1)),
        keras.Input((1,)),
        keras.Input((), dtype="int32"),
    )
    shift = keras.layers.Dense(4)(time)
    if num_classes:
        shift = shift + keras.layers.Embedding(num_classes + 1, 4)(labels)
    hidden = keras.layers.Conv2D(4, 3, padding="same")(x)
    hidden = keras.ops.silu(hidden + shift[:, None, None])
    out = keras.layers.Conv2D(1, 3, padding="same")(hidden)
    network = keras.Model([x, time, labels][: inputs or (3 if num_classes else 2)], out)
    told = {"image_size": 8, "channels": 1, "components": 1, "out_channels": 1} | numbers
    for name, value in (told | {"num_classes": num_classes}).items():
        setattr(network, name, value)
    return network


@pytest.mark.parametrize("num_classes", [0, 3])
def test_a_functional_model_trains_samples_and_is_kept(tmp_path, num_classes):
    network = functional(num_classes)
    model = DiffusionModel(network, sdes.VPSDE(), "v")
    model.compile("adam")
    images = np.zeros((8, 8, 8, 1), np.float32) - 0.5
    before = [np.array(weight) for weight in network.get_weights()]
    data = (images, np.arange(8) % 3) if num_classes else (images,)
    model.fit(*data, batch_size=4, verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, network.get_weights(), strict=True))
    labels = 1 if num_classes else None
    drawn = model.sample(2, nfe=2, labels=labels)
    save(model, tmp_path / "model.keras")
    np.testing.assert_array_equal(
        load(tmp_path / "model.keras").sample(2, nfe=2, labels=labels), drawn
    )


def test_a_functional_model_of_other_inputs_is_refused():
    with pytest.raises(
        ValueError, match=r"must have 3 inputs, .* received a functional model of 2"
    ):
        network = functional(0)
        network.num_classes = 3
        DiffusionModel(network, sdes.VPSDE(), "v")


class WithoutTraining(OwnNetwork):
    def call(self, x, time, labels=None):
        return x


class WithoutLabels(OwnNetwork):
    def call(self, x, time, *, training=False):
        return x


@pytest.mark.parametrize("network", [WithoutTraining, WithoutLabels])
def test_a_network_that_is_called_otherwise_is_refused(network):
    with pytest.raises(ValueError, match=r"must be called as \(x, time, labels=None, training"):
        DiffusionModel(network(), sdes.VPSDE(), "v")
