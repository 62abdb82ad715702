import keras
import numpy as np
import pytest
import tensorflow as tf

import gddim_tf as gd
from gddim_tf import sdes, serving
from gddim_tf.serving.stored_weights import StoredWeights
from tests.conftest import own_model


def network(value):
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    made.set_weights([np.full((1, 1), value), np.zeros(1)])
    return made


def test_half_of_the_bytes_draw_the_images_of_all_of_them(tmp_path):
    model = own_model(sdes.VPSDE())
    signatures = {"few": ("gddim(order=2)", 4)}
    whole, half = (
        serving.export(model, tmp_path / name, signatures, batch_sizes=[1], weights=name)
        for name in ("float32", "float16")
    )
    stored = gd.load(half)
    rounded = [np.float16(weight).astype(np.float32) for weight in model.network.get_weights()]
    model.network.set_weights(rounded)
    expected = model.sample(4, "gddim(order=2)", nfe=4, seed=3)
    np.testing.assert_allclose(
        stored.sample(4, "gddim(order=2)", nfe=4, seed=3), expected, atol=1e-5
    )
    seed = tf.constant([[3, 0], [3, 1]])
    images = [
        tf.saved_model.load(str(path)).signatures["few"](seed=seed)["image"].numpy()
        for path in (whole, half)
    ]
    np.testing.assert_allclose(*(image.astype(int) for image in images), atol=1)
    kept = tf.train.list_variables(str(half / "variables" / "variables"))
    read = tf.train.load_checkpoint(str(half / "variables" / "variables"))
    assert {read.get_tensor(name).dtype for name, _ in kept if "network" in name} == {
        np.dtype(np.float16)
    }


def test_what_they_cannot_be_stored_as():
    with pytest.raises(ValueError, match="`weights` must be one of float32, float16, received"):
        StoredWeights(network(1.0), "int8")
    for value, told in ((1e5, r"1e\+05"), (np.nan, "nan")):
        with pytest.raises(ValueError, match=f"received float16 and .*kernel with {told}"):
            StoredWeights(network(value), "float16")
