"""Checkpoints of denoising-diffusion-pytorch: the outputs of the original, and its DDIM."""

import functools
import itertools
import zipfile

import numpy as np
import pytest
import tensorflow as tf

import gddim_tf as gd
from gddim_tf.checkpoints import load, read
from gddim_tf.checkpoints.families import Checkpoint
from gddim_tf.checkpoints.families.denoising_diffusion_pytorch import DenoisingDiffusionPytorch
from gddim_tf.networks import AttentionUNet
from gddim_tf.samplers import DDIM, ListGrid, run
from gddim_tf.sdes import DiscreteVPSDE
from tests.checkpoints.goldens import FOLDER, unpack

SIZE = (8, 12)
RECORD = np.load(FOLDER / "denoising_diffusion_pytorch.npz")
FAMILY = DenoisingDiffusionPytorch()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return unpack("denoising_diffusion_pytorch.pt", tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def imported(file):
    return functools.cache(lambda ema=True: read(file, image_size=SIZE, ema=ema))


def channels_last(images):
    return images.transpose(0, 2, 3, 1)


@pytest.mark.parametrize(("ema", "name"), [(True, "y_average"), (False, "y_raw")])
def test_the_network_gives_what_the_original_gave(imported, ema, name):
    network = imported(ema).network
    out = np.asarray(network(channels_last(RECORD["x"]), RECORD["time"].astype(np.float32)))
    expected = -channels_last(RECORD[name])  # its v is the noise less the data
    assert np.abs(out - expected).max() < 1e-5 * np.abs(expected).max()
    assert np.abs(RECORD["y_average"] - RECORD["y_raw"]).max() > 0.01


def test_the_model_draws_what_the_original_drew(file, tmp_path):
    """After ten steps of its DDIM, which clips; from the file and from the `.keras` made of it."""
    model = load(file, image_size=SIZE)
    assert isinstance(model.sde, DiscreteVPSDE) and model.sde.t_max == 100
    assert model.prediction == "v"
    times = 1.0 + np.linspace(-1, 99, 11).astype(int)[::-1]
    table = DDIM(clip=1.0, grid=ListGrid(times)).table(model.sde, 10)
    start = tf.constant(channels_last(RECORD["start"]))
    end = run(table, model.eps, start)
    expected = 2 * channels_last(RECORD["images"]) - 1
    np.testing.assert_allclose(end, expected, atol=2e-4)
    again = gd.load(gd.save(model, tmp_path / "model.keras"))
    np.testing.assert_allclose(run(table, again.eps, start), end, atol=1e-6)


@pytest.mark.parametrize(
    ("objective", "schedule", "clipped"),
    itertools.product(
        ("pred_noise", "pred_x0", "pred_v"), ("linear", "cosine", "sigmoid"), (False, True)
    ),
)
def test_the_weights_of_the_loss_tell_the_objective(objective, schedule, clipped):
    betas, weights = RECORD[f"{objective}_{schedule}_{clipped:d}"]
    checkpoint = Checkpoint({"betas": betas, "loss_weight": weights}, {})
    expected = {"pred_noise": "eps", "pred_x0": "x0", "pred_v": "v"}[objective]
    assert FAMILY.meaning(checkpoint).prediction == expected
    assert FAMILY.meaning(checkpoint).time_convention == "index"
    sde = FAMILY.diffusion(checkpoint, None)
    np.testing.assert_allclose(sde.betas, betas)


def test_weights_of_another_loss_are_refused():
    betas, weights = RECORD["pred_v_sigmoid_0"]
    with pytest.raises(ValueError, match="which is none of the objectives"):
        FAMILY.meaning(Checkpoint({"betas": betas, "loss_weight": 2 * weights}, {}))
    with pytest.raises(ValueError, match="the checkpoint must hold 'loss_weight'"):
        FAMILY.meaning(Checkpoint({"betas": betas}, {}))


def test_everything_that_stands_against_it_is_named_at_once(imported):
    tensors = dict(imported().checkpoint.tensors)
    old = {name: value for name, value in tensors.items() if not name.endswith("norm.g")}
    old["model.time_mlp.0.weights"] = np.zeros(8)
    old["model.init_conv.weight"] = np.zeros((6, 6, 7, 7))
    with pytest.raises(ValueError, match="cannot be read") as error:
        FAMILY.options(old, {})
    for obstacle in ("image size", "older than version 2", "random frequencies", "self-condition"):
        assert obstacle in str(error.value)


def test_a_file_without_a_tensor_is_refused(file, tmp_path):
    """As damaged as a renamed layer makes it; nothing but the names in the pickle is changed."""
    path = tmp_path / "renamed.pt"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("data.pkl"):
                content = content.replace(b"mid_block2.block1.proj", b"mid_block9.block1.proj")
            new.writestr(entry.filename, content)
    with pytest.raises(ValueError, match=r"missing: mid_block2\.block1\.proj\.kernel"):
        read(path, image_size=SIZE)


def test_sizes_that_do_not_fit_are_refused(file):
    with pytest.raises(ValueError, match="`image_size` must be divisible by 4"):
        read(file, image_size=(8, 10))


def test_the_shapes_are_known_before_anything_is_built(imported):
    network = imported().network
    shapes = {name: tuple(value.shape) for name, value in network.named_weights().items()}
    assert AttentionUNet.weight_shapes(network.architecture) == shapes
    huge = AttentionUNet.architecture_type(8, 3, 2**20, (2**20, 2**20), [True], [1], [4])
    assert AttentionUNet.weight_shapes(huge)["time_mlp.3.kernel"] == (2**22, 2**22)
