"""Images that are not square, from a folder of files to what a served model draws."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gddim_tf import data, load, sdes, serving
from gddim_tf.models import DiffusionModel, save
from gddim_tf.networks import ScoreUNet
from gddim_tf.samplers import GDDIM

SIZE = (8, 16)
TINY = {
    "base_channels": 4,
    "channel_multipliers": (1, 2),
    "blocks_per_level": 1,
    "attention_resolutions": (4,),
    "norm_groups": 2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of 20 x 24 pixels, dark on the left and light on the right."""
    root = tmp_path_factory.mktemp("pictures")
    ramp = np.linspace(0, 255, 24).astype(np.uint8)
    for number in range(4):
        Image.fromarray(np.broadcast_to(ramp[None, :, None], (20, 24, 3)).copy()).save(
            root / f"{number}.png"
        )
    return root


def test_a_folder_gives_the_middle_of_every_picture(folder):
    images = next(iter(data.load(f"folder:{folder}", batch_size=4, image_size=SIZE)))
    assert images.shape == (4, *SIZE, 3)
    rows = images[0, :, :, 0]
    np.testing.assert_array_equal(rows, np.broadcast_to(rows[:1], SIZE))
    assert np.all(np.diff(rows[0]) > 0)
    assert rows[0, 0] < -0.9 and rows[0, -1] > 0.9  # the whole width, 12 of 20 rows


def test_a_blurring_diffusion_of_other_sizes():
    sde = sdes.make("bdm", SIZE)
    model = DiffusionModel(ScoreUNet(SIZE, 3, **TINY), sde)
    assert model.image_shape == (*SIZE, 3)
    images = np.random.default_rng(0).uniform(-1, 1, (2, *SIZE, 3)).astype("float32")
    state = sde.to_state(tf.constant(images))
    np.testing.assert_allclose(sde.to_images(state), images, atol=1e-5)
    assert model.eps(state, tf.constant([0.2, 0.9])).shape == state.shape


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vp", "cld", "bdm"])
def test_training_sampling_and_export(name, folder, tmp_path):
    sde = sdes.make(name, SIZE)
    network = ScoreUNet(SIZE, 3, sde.components, **TINY)
    model = DiffusionModel(network, sde)
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    history = model.fit(data.load(f"folder:{folder}", batch_size=4, image_size=SIZE), verbose=0)
    assert np.isfinite(history.history["loss"][0])
    images = model.sample(2, GDDIM(order=1), nfe=2, seed=3)
    assert images.shape == (2, *SIZE, 3)
    again = load(save(model, tmp_path / "model.keras"))
    np.testing.assert_allclose(again.sample(2, GDDIM(order=1), nfe=2, seed=3), images, atol=1e-5)
    if name == "bdm":
        serving.export(model, tmp_path / "served", {"two": (GDDIM(order=1), 2)})
        served = load(tmp_path / "served")
        assert served.image_shape == (*SIZE, 3)
