"""Imported networks give the outputs of the projects that they come from."""

import re

import numpy as np
import pytest
from safetensors.numpy import save_file

from gddim_tf.checkpoints import read
from gddim_tf.checkpoints.families import FAMILIES, Checkpoint
from gddim_tf.networks import ScoreUNet
from tests.checkpoints.goldens import flax_checkpoint, golden

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def ddpm():
    return golden("unet_diffusers_ddpm32_a")


@pytest.fixture(scope="module")
def song():
    return golden("unet_edm_ncsnpp_a")


def imported(tensors, tmp_path, **options):
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, tmp_path / "w.safetensors")
    return read(tmp_path / "w.safetensors", **options)


def test_diffusers(ddpm, tmp_path):
    result = imported(ddpm.tensors, tmp_path, config=ddpm.config)
    assert (result.source, *result.meaning) == ("diffusers", "index", "eps", 1.0)
    assert result.config == ddpm.config
    assert ddpm.error(result.network) < TOLERANCE


def test_diffusers_by_its_old_names(ddpm, tmp_path):
    """Before version 0.17 attention was spelled otherwise."""
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    tensors = {
        re.sub("|".join(old), lambda match: old[match[0]], name): tensor
        for name, tensor in ddpm.tensors.items()
    }
    assert tensors.keys() != ddpm.tensors.keys()
    result = imported(tensors, tmp_path, config=ddpm.config)
    assert ddpm.error(result.network) < TOLERANCE


def to_ermongroup(name):
    """What the conversion script of diffusers does, backwards, for four levels."""
    for pattern, new in [
        (r"time_embedding\.linear_1", "temb.dense.0"),
        (r"time_embedding\.linear_2", "temb.dense.1"),
        (r"^conv_norm_out", "norm_out"),
        (r"^down_blocks", "down"),
        (r"^up_blocks\.(\d)", lambda match: f"up.{3 - int(match[1])}"),
        (r"^mid_block\.resnets\.0", "mid.block_1"),
        (r"^mid_block\.resnets\.1", "mid.block_2"),
        (r"^mid_block\.attentions\.0", "mid.attn_1"),
        (r"resnets", "block"),
        (r"attentions", "attn"),
        (r"samplers\.0", "sample"),
        (r"time_emb_proj", "temb_proj"),
        (r"conv_shortcut", "nin_shortcut"),
        (r"group_norm", "norm"),
        (r"to_([qkv])\.", r"\1."),
        (r"to_out\.0", "proj_out"),
    ]:
        name = re.sub(pattern, new, name)
    return name


def test_ermongroup(ddpm, tmp_path):
    """The same function under other names, its attention made of 1x1 convolutions."""
    tensors = {}
    for name, tensor in ddpm.tensors.items():
        attention = "attentions" in name and tensor.ndim == 2
        tensors[to_ermongroup(name)] = tensor[:, :, None, None] if attention else tensor
    result = imported(tensors, tmp_path, image_size=32, norm_groups=8)
    assert (result.source, result.meaning.time_convention) == ("ermongroup", "index")
    assert ddpm.error(result.network) < TOLERANCE


def test_edm(song, tmp_path):
    result = imported(song.tensors, tmp_path)
    assert (result.source, *result.meaning) == ("edm", "c_noise", "v", 0.5)
    assert result.network.architecture.fir_kernel == (1.0, 3.0, 3.0, 1.0)
    assert song.error(result.network) < TOLERANCE


def test_edm_inside_its_preconditioning(song, tmp_path):
    """The class around the network adds a prefix, training on CIFAR-10 an unused matrix."""
    tensors = {f"model.{name}": tensor for name, tensor in song.tensors.items()}
    tensors["model.map_augment.weight"] = np.ones((32, 9), "float32")
    result = imported(tensors, tmp_path)
    assert song.error(result.network) < TOLERANCE


def test_edm_with_classes(song, tmp_path):
    """A class moves the input of the first dense layer, which is a change of that layer's bias."""
    rng = np.random.default_rng(3)
    kernel = song.tensors["map_layer0.weight"]
    weight, bias = rng.standard_normal((kernel.shape[1], 3)), rng.standard_normal(kernel.shape[1])
    labels = {"map_label.weight": weight, "map_label.bias": bias}
    labels = {name: value.astype("float32") for name, value in labels.items()}
    network = imported(song.tensors | labels, tmp_path).network
    assert network.num_classes == 3
    for label, move in [(0, 3**0.5 * weight[:, 0] + bias), (2, 3**0.5 * weight[:, 2] + bias)]:
        moved = song.tensors["map_layer0.bias"] + (kernel @ move).astype("float32")
        alone = imported({**song.tensors, "map_layer0.bias": moved}, tmp_path).network
        out = network(song.x, song.time, np.full(len(song.x), label))
        expected = np.asarray(alone(song.x, song.time))
        np.testing.assert_allclose(out, expected, atol=1e-5 * np.abs(expected).max())
    moved = song.tensors["map_layer0.bias"] + (kernel @ bias).astype("float32")
    alone = imported({**song.tensors, "map_layer0.bias": moved}, tmp_path).network
    expected = np.asarray(alone(song.x, song.time))
    np.testing.assert_allclose(network(song.x, song.time), expected, atol=1e-5 * expected.max())


# The order in which score_sde constructs this network, in EDM's names.
CONSTRUCTION = [
    *("map_noise", "map_layer0", "map_layer1", "enc.32x32_conv"),
    *("enc.32x32_block0", "enc.16x16_down", "enc.16x16_aux_residual"),
    *("enc.16x16_block0", "enc.16x16_block0:attention"),
    *("enc.8x8_down", "enc.8x8_aux_residual", "enc.8x8_block0"),
    *("dec.8x8_in0", "dec.8x8_in0:attention", "dec.8x8_in1"),
    *("dec.8x8_block0", "dec.8x8_block1", "dec.16x16_up"),
    *("dec.16x16_block0", "dec.16x16_block1", "dec.16x16_block1:attention", "dec.32x32_up"),
    *("dec.32x32_block0", "dec.32x32_block1", "dec.32x32_aux_norm", "dec.32x32_aux_conv"),
]


def to_score_sde(tensors):
    """Number the layers of EDM's network as score_sde and CLD-SGM do."""
    block = {
        "norm0": "GroupNorm_0",
        "conv0": "Conv_0",
        "affine": "Dense_0",
        "norm1": "GroupNorm_1",
        "conv1": "Conv_1",
        "skip": "Conv_2",
    }
    numbered = {}
    for number, layer in enumerate(CONSTRUCTION):
        source, _, attention = layer.partition(":")
        for name, tensor in tensors.items():
            if not name.startswith(source + ".") or name.endswith("resample_filter"):
                continue
            *inside, leaf = name.removeprefix(source + ".").split(".")
            prefix = f"all_modules.{number}"
            in_attention = inside[:1] in (["norm2"], ["qkv"], ["proj"])
            if in_attention != bool(attention):
                continue
            if inside == ["qkv"]:
                for j in range(3):
                    part = tensor[j::3]
                    key = "W" if leaf == "weight" else "b"
                    numbered[f"{prefix}.NIN_{j}.{key}"] = part.reshape(part.shape[:2]).T
            elif inside == ["proj"]:
                key = "W" if leaf == "weight" else "b"
                numbered[f"{prefix}.NIN_3.{key}"] = tensor.reshape(tensor.shape[:2]).T
            elif inside == ["norm2"]:
                numbered[f"{prefix}.GroupNorm_0.{leaf}"] = tensor
            elif inside:
                numbered[f"{prefix}.{block[inside[0]]}.{leaf}"] = tensor
            elif source == "map_noise":
                numbered[f"{prefix}.W"] = tensor
            elif "aux_residual" in source:
                numbered[f"{prefix}.Conv2d_0.{leaf}"] = tensor
            else:
                numbered[f"{prefix}.{leaf}"] = tensor
    return numbered


SCORE_SDE = {
    "model": {
        "name": "ncsnpp",
        "nf": 16,
        "ch_mult": [1, 2, 2],
        "num_res_blocks": 1,
        "attn_resolutions": [16],
        "resamp_with_conv": True,
        "fir": True,
        "fir_kernel": [1, 3, 3, 1],
        "skip_rescale": True,
        "resblock_type": "biggan",
        "progressive": "none",
        "progressive_input": "residual",
        "embedding_type": "fourier",
    },
    "data": {"image_size": 32, "num_channels": 3},
}
CLD_SGM = {
    "n_channels": 16,
    "ch_mult": "1,2,2",
    "n_resblocks": 1,
    "attn_resolutions": "16",
    "use_fir": True,
    "fir_kernel": "1,3,3,1",
    "skip_rescale": True,
    "resblock_type": "biggan",
    "progressive": "none",
    "progressive_input": "residual",
    "embedding_type": "fourier",
    "image_channels": 3,
    "image_size": 32,
    "sde": "cld",
    "mixed_score": True,
}


@pytest.mark.parametrize(
    ("config", "source", "convention", "prediction"),
    [
        (SCORE_SDE, "score_sde_torch", "999t", "eps"),
        (CLD_SGM, "cld_sgm", "t", "velocity_mixed"),
    ],
)
def test_score_sde_torch(song, tmp_path, config, source, convention, prediction):
    """EDM's network is score_sde's; this one takes the logarithm of the label itself."""
    tensors = {f"module.{k}": v for k, v in to_score_sde(song.tensors).items()}
    tensors["module.sigmas"] = np.ones(1000, "float32")
    result = imported(tensors, tmp_path, config=config)
    assert (result.source, *result.meaning) == (source, convention, prediction, 1.0)
    song.time, label = np.exp(song.time), song.time
    assert song.error(result.network) < TOLERANCE
    song.time = label


@pytest.mark.parametrize("name", ["c2", "d1", "e1", "f1"])
def test_score_sde_flax(name):
    """DDPM blocks without convolutions, skip pyramids and sigma, FIR and `cat`, no rescaling."""
    reference = golden(f"ncsnpp_flax_{name}")
    family = next(family for family in FAMILIES if family.name == "score_sde_flax")
    network = ScoreUNet(**family.options(reference.tensors, reference.config))
    checkpoint = Checkpoint(reference.tensors, reference.config)
    weights = dict(family.weights(checkpoint, network.architecture))
    variables = network.named_weights()
    assert variables.keys() == weights.keys()
    for key, variable in variables.items():
        variable.assign(weights[key])
    assert reference.error(network) < TOLERANCE
    sigma = ("sigma", "score", 1.0) if name == "d1" else ("999t", "eps", 1.0)
    assert family.meaning(checkpoint) == sigma


@pytest.mark.parametrize("ema", [True, False])
def test_flax_checkpoint_of_gddim_for_blurring(ema, tmp_path):
    """Written by Flax 0.3.1 with optimizer state; normalizations are stored as (1, 1, 1, C)."""
    path, record, config = flax_checkpoint("flax_checkpoint_bdm", tmp_path)
    result = read(path, config=config, ema=ema)
    assert (result.source, *result.meaning) == ("score_sde_flax", "999t", "eps", 1.0)
    out = np.asarray(result.network(record["x"], record["time"]))
    expected, other = record["y"], record["y_raw"]
    if not ema:
        expected, other = other, expected
    assert np.abs(out - expected).max() < TOLERANCE * np.abs(expected).max()
    assert np.abs(out - other).max() > 0.01 * np.abs(expected).max()


def test_flax_checkpoint_of_gddim_for_langevin(tmp_path):
    """Written by Flax 0.12 without optimizer; normalizations are stored as (C,)."""
    path, record, config = flax_checkpoint("flax_checkpoint_cld_modern", tmp_path)
    result = read(path, config={**config, "mixed_score": True})
    assert result.meaning.prediction == "eps_mixed"
    assert (result.network.components, result.network.channels) == (2, 3)
    out = np.asarray(result.network(record["x"], record["time"]))
    assert np.abs(out - record["y"]).max() < TOLERANCE * np.abs(record["y"]).max()
    with pytest.raises(ValueError, match="only holds the moving average"):
        read(path, config=config, ema=False)
