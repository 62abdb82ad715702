"""Finding, checking and refusing checkpoints of every kind."""

import json
import struct

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from gddim_tf.checkpoints import FORMATS, read
from gddim_tf.networks import ScoreUNet, weight_shapes
from tests.checkpoints.goldens import unpack

WEIGHTS = "diffusion_pytorch_model"
CONFIG = {
    "sample_size": 8,
    "in_channels": 1,
    "out_channels": 1,
    "time_embedding_type": "positional",
    "freq_shift": 1,
    "flip_sin_to_cos": False,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
    "block_out_channels": [4, 8],
    "layers_per_block": 1,
    "downsample_padding": 0,
    "attention_head_dim": None,
    "norm_num_groups": 2,
    "norm_eps": 1e-6,
}


def diffusers_tensors(seed=0):
    """Random weights under the library's names, written down from its documentation of blocks."""
    rng, tensors = np.random.default_rng(seed), {}

    def add(name, *shape):
        tensors[f"{name}.weight"] = rng.standard_normal(shape).astype("float32")
        tensors[f"{name}.bias"] = rng.standard_normal(shape[:1]).astype("float32")

    def resnet(name, width, out):
        add(f"{name}.norm1", width)
        add(f"{name}.conv1", out, width, 3, 3)
        add(f"{name}.time_emb_proj", out, 16)
        add(f"{name}.norm2", out)
        add(f"{name}.conv2", out, out, 3, 3)
        if width != out:
            add(f"{name}.conv_shortcut", out, width, 1, 1)

    def attention(name, width):
        add(f"{name}.group_norm", width)
        for part in ("to_q", "to_k", "to_v", "to_out.0"):
            add(f"{name}.{part}", width, width)

    add("time_embedding.linear_1", 16, 4)
    add("time_embedding.linear_2", 16, 16)
    add("conv_in", 4, 1, 3, 3)
    resnet("down_blocks.0.resnets.0", 4, 4)
    add("down_blocks.0.downsamplers.0.conv", 4, 4, 3, 3)
    resnet("down_blocks.1.resnets.0", 4, 8)
    attention("down_blocks.1.attentions.0", 8)
    resnet("mid_block.resnets.0", 8, 8)
    attention("mid_block.attentions.0", 8)
    resnet("mid_block.resnets.1", 8, 8)
    for index, (width, out) in enumerate([(16, 8), (12, 8)]):
        resnet(f"up_blocks.0.resnets.{index}", width, out)
        attention(f"up_blocks.0.attentions.{index}", 8)
    add("up_blocks.0.upsamplers.0.conv", 8, 8, 3, 3)
    for index, (width, out) in enumerate([(12, 4), (8, 4)]):
        resnet(f"up_blocks.1.resnets.{index}", width, out)
    add("conv_norm_out", 4)
    add("conv_out", 1, 4, 3, 3)
    return tensors


@pytest.fixture
def folder(tmp_path):
    """A diffusers model on disk."""
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(CONFIG))
    save_file(diffusers_tensors(), path / "diffusion_pytorch_model.safetensors")
    return path


def rewrite(folder, change=None, **config):
    """Change the tensors or the configuration of the model on disk."""
    if change:
        tensors = diffusers_tensors()
        change(tensors)
        save_file(tensors, folder / "diffusion_pytorch_model.safetensors")
    (folder / "config.json").write_text(json.dumps({**CONFIG, **config}))
    return folder


def test_a_folder_brings_its_configuration(folder):
    result = read(folder)
    assert result.source == "diffusers"
    assert result.network.image_size == 8
    named, tensors = result.network.named_weights(), diffusers_tensors()
    np.testing.assert_array_equal(
        named["up.1.attn.1.proj.kernel"], tensors["up_blocks.0.attentions.1.to_out.0.weight"].T
    )
    np.testing.assert_array_equal(
        named["down.0.downsample.conv.kernel"],
        tensors["down_blocks.0.downsamplers.0.conv.weight"].transpose(2, 3, 1, 0),
    )


def test_the_configuration_can_be_given(folder):
    file = folder / "diffusion_pytorch_model.safetensors"
    for config in (CONFIG, folder / "config.json", str(folder / "config.json")):
        assert read(str(file), "diffusers", config=config).network.image_size == 8


def test_options_replace_what_was_found(folder):
    network = read(folder, dropout=0.3, dtype="mixed_bfloat16", name="mine").network
    assert network.architecture.dropout == 0.3
    assert network.name == "mine"
    assert network.parts["conv_in"].compute_dtype == "bfloat16"


@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16, "float64"])
def test_files_of_other_precisions_become_float32(folder, dtype):
    tensors = {k: v.astype(dtype) for k, v in diffusers_tensors().items()}
    save_file(tensors, folder / "diffusion_pytorch_model.safetensors")
    named = read(folder).network.named_weights()
    assert {variable.dtype for variable in named.values()} == {"float32"}
    np.testing.assert_array_equal(
        named["conv_out.bias"], tensors["conv_out.bias"].astype("float32")
    )


def test_complex_tensors_are_refused(folder):
    def change(tensors):
        tensors["conv_out.bias"] = tensors["conv_out.bias"].astype("complex64")

    with pytest.raises(ValueError, match=r"'conv_out\.bias' must hold real numbers"):
        read(rewrite(folder, change))


def test_a_preset_takes_the_place_of_a_configuration(tmp_path):
    """The names of ermongroup, made from our own by their table."""
    network = ScoreUNet.from_preset("ddpm_tiny")
    tensors = {}
    inside = {
        "shortcut": "nin_shortcut",
        "query": "q",
        "key": "k",
        "value": "v",
        "proj": "proj_out",
    }
    outside = {"mid.block.0": "mid.block_1", "mid.block.1": "mid.block_2", "mid.attn": "mid.attn_1"}
    for name, variable in network.named_weights().items():
        value = np.asarray(variable)
        layer, leaf = name.rsplit(".", 1)
        layer = layer.replace("temb.dense_", "temb.dense.")
        for ours, theirs in outside.items():
            layer = layer.replace(ours, theirs)
        head, _, tail = layer.rpartition(".")
        layer = f"{head}.{inside[tail]}" if tail in inside else layer
        if value.ndim == 4:
            value = value.transpose(3, 2, 0, 1)
        elif value.ndim == 2:
            value = value.T[:, :, None, None] if ".attn" in layer else value.T
        tensors[f"{layer}.{'bias' if leaf == 'bias' else 'weight'}"] = np.ascontiguousarray(value)
    save_file(tensors, tmp_path / "w.safetensors")
    copy = read(tmp_path / "w.safetensors", preset="ddpm_tiny").network
    for a, b in zip(network.weights, copy.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="does not hold the image size: pass `image_size`"):
        read(tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"`norm_groups`: 8 channels cannot be .* 32 groups"):
        read(tmp_path / "w.safetensors", image_size=8)


def test_a_training_checkpoint_of_ermongroup(tmp_path):
    """Written by PyTorch: [model, optimizer, epoch, step, ema], ema = 2 model, `module.` names."""
    path = unpack("torch_ddpm_training.pt", tmp_path)
    average = read(path, image_size=8, norm_groups=2).network
    raw = read(path, image_size=8, norm_groups=2, ema=False).network
    for name, value in raw.named_weights().items():
        np.testing.assert_allclose(average.named_weights()[name], 2 * value, atol=2e-3)
    first = raw.named_weights()["temb.dense_0.kernel"]
    expected = (np.arange(64) % 97 / 97 - 0.5).reshape(16, 4).T
    np.testing.assert_allclose(first, expected, atol=1e-3)
    assert raw.architecture.attention_resolutions == (4,)


def test_missing_unexpected_and_wrong_tensors_are_listed(folder):
    def change(tensors):
        del tensors["mid_block.resnets.0.conv1.bias"]
        tensors["extra.weight"] = np.zeros(1, "float32")
        tensors["conv_norm_out.weight"] = np.zeros(5, "float32")

    message = (
        r"missing: mid\.block\.0\.conv1\.bias; unexpected: extra\.weight; "
        r"of another shape: norm_out\.scale \(5,\) instead of \(4,\)"
    )
    with pytest.raises(ValueError, match=message):
        read(rewrite(folder, change))


def test_long_lists_are_cut(folder):
    with pytest.raises(ValueError, match=r"unexpected: .* and \d+ more"):
        read(rewrite(folder, layers_per_block=2), up_attention="last")


def test_two_names_for_one_weight_are_refused(folder):
    def change(tensors):
        tensors["mid_block.attentions.0.query.weight"] = np.zeros((8, 8), "float32")

    with pytest.raises(ValueError, match=r"holds 'mid\.attn\.query\.kernel' twice"):
        read(rewrite(folder, change))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"time_embedding_type": "learned"}, "`time_embedding_type` must be 'positional' or"),
        ({"attention_head_dim": 3}, r"`attention_head_dim` must divide the channels \[8\]"),
        ({"downsample_padding": 2}, "`downsample_padding` must be 0 or 1, received 2"),
        ({"resnet_time_scale_shift": "spatial"}, "`resnet_time_scale_shift` must be 'default' or"),
        ({"act_fn": "tanh"}, "`act_fn` must be .* received 'tanh'"),
        ({"class_embed_type": "identity"}, "`class_embed_type` must be None or 'timestep'"),
        ({"class_embed_type": "timestep"}, "`num_class_embeds` must tell how many classes"),
        (
            {"class_embed_type": "timestep", "num_class_embeds": 10**12},
            "`num_class_embeds` must be at most 100000",
        ),
        ({"mid_block_scale_factor": 2}, "`mid_block_scale_factor` must be 1, received 2"),
        ({"norm_num_groups": None}, "`norm_num_groups` must be a number"),
        ({"down_block_types": ["DownBlock2D", "SkipDownBlock2D"]}, "in every level or in none"),
        ({"down_block_types": ["DownBlock2D", "KDownBlock2D"]}, "received KDownBlock2D"),
        ({"up_block_types": ["UpBlock2D", "UpBlock2D"]}, "`up_block_types` must attend where"),
        ({"up_block_types": ["UpBlock2D"]}, "must be equally long"),
        ({"cross_attention_dim": 8}, r"the settings \['cross_attention_dim'\] are unknown"),
        ({"_class_name": "UNet2DConditionModel"}, "it is a UNet2DConditionModel"),
        ({"sample_size": None}, r"`sample_size` must be given: pass `image_size` \(--image-size\)"),
        ({"sample_size": [8, 7]}, "`image_size` must be divisible by 2"),
        ({"sample_size": "8"}, "malformed"),
        ({"block_out_channels": 4}, "malformed"),
        ({"block_out_channels": [0, 8]}, "malformed"),
        ({"layers_per_block": 10**9}, "more blocks than the file has tensors"),
        ({"block_out_channels": [10**6, 8]}, r"missing|of another shape|norm_groups"),
    ],
)
def test_configurations_that_do_not_fit_are_refused(folder, config, message):
    with pytest.raises(ValueError, match=message):
        read(rewrite(folder, **config))


def test_a_silent_configuration_means_the_defaults_of_the_library(folder):
    """freq_shift 0, padding 1, epsilon 1e-5 and heads of 8 channels, none of them ours."""
    names = ("freq_shift", "flip_sin_to_cos", "downsample_padding", "norm_eps")
    config = {key: value for key, value in CONFIG.items() if key not in names}
    del config["attention_head_dim"]
    (folder / "config.json").write_text(json.dumps(config))
    found = read(folder).network.architecture
    assert (found.frequency_shift, found.cosine_first, found.head_channels) == (0, True, 8)
    assert (found.downsample_padding, found.norm_epsilon) == ("around", 1e-5)


def test_one_message_lists_every_obstacle(folder):
    with pytest.raises(ValueError, match="this UNet2DModel cannot be converted: ") as caught:
        read(rewrite(folder, act_fn="tanh", attention_head_dim=3, sample_size=None))
    text = str(caught.value)
    assert text.count(";") == 2
    assert all(name in text for name in ("`act_fn`", "`attention_head_dim`", "`sample_size`"))


def test_another_size_moves_the_attention_with_its_level(folder):
    """Attention belongs to the second level, whatever its size is."""
    found = read(folder, image_size=(16, 32)).network
    assert found.image_size == (16, 32)
    assert found.architecture.attention_resolutions == (8,)
    assert read(rewrite(folder, sample_size=[8, 12])).network.image_size == (8, 12)
    assert read(rewrite(folder, sample_size=None), image_size=4).network.image_size == 4


def test_activations_are_read_in_any_case(folder):
    """As the library does."""
    assert read(rewrite(folder, act_fn="Mish")).network.architecture.activation == "mish"


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_a_broken_configuration_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json must be a JSON object"):
        read(folder)


@pytest.mark.parametrize("length", [0, 4, 9, 500, -1])
def test_truncated_safetensors_are_refused(folder, length):
    file = folder / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"neither a safetensors|not a readable safetensors"):
        read(folder)


def test_a_safetensors_header_that_lies_is_refused(tmp_path):
    header = {"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}
    text = json.dumps(header).encode()
    (tmp_path / "w").write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 16)
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        read(tmp_path / "w")


def test_unknown_networks_and_files_are_refused(tmp_path):
    save_file({"weight": np.zeros(1, "float32")}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"holds no known network; its first tensors .*weight"):
        read(tmp_path / "w.safetensors")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    with pytest.raises(ValueError, match="neither a safetensors, PyTorch zip nor Flax"):
        read(tmp_path / "image.png")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "absent.pt")
    with pytest.raises(FileNotFoundError, match="holds no diffusion_pytorch_model"):
        read(tmp_path, config={})


@pytest.mark.parametrize("source", FORMATS)
def test_the_wrong_format_is_refused_with_one_sentence(source, tmp_path):
    """Tensors of one kind read as any other: a ValueError, whatever goes wrong."""
    save_file({"weight": np.zeros(1, "float32")}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"must|does not hold|malformed|not those"):
        read(tmp_path / "w.safetensors", source)


def test_wrong_arguments_are_refused(folder):
    with pytest.raises(ValueError, match=r"`format` must be one of diffusers, .*'torch'"):
        read(folder, "torch")
    with pytest.raises(ValueError, match=r"`preset` must be one of .*'big'"):
        read(folder, preset="big")
    with pytest.raises(TypeError, match=r"unknown options \['depth'\]"):
        read(folder, depth=3)


def test_nothing_is_allocated_for_a_network_that_does_not_fit(folder, monkeypatch):
    """The comparison comes before the network is built."""
    built = []
    monkeypatch.setattr(ScoreUNet, "__init__", lambda *a, **k: built.append(1))
    with pytest.raises(ValueError, match="does not fit the network"):
        read(folder, base_channels=4096, norm_groups=1)
    assert not built


def test_weight_shapes_need_no_memory():
    """A million channels are only numbers."""
    from gddim_tf.networks import Architecture

    shapes = weight_shapes(Architecture(32, 3, base_channels=2**20))
    assert shapes["conv_in.kernel"] == (3, 3, 3, 2**20)


def in_pipeline(folder, tmp_path):
    """The folder as the network of a pipeline."""
    root = tmp_path / "pipeline"
    (root / "scheduler").mkdir(parents=True)
    (root / "scheduler" / "scheduler_config.json").write_text('{"num_train_timesteps": 40}')
    (root / "model_index.json").write_text("{}")
    folder.rename(root / "unet")
    return root


def same(one, other):
    return all(
        np.array_equal(a, b) for a, b in zip(one.weights, other.network.weights, strict=True)
    )


def test_a_pipeline_is_read_by_its_root(folder, tmp_path):
    network = read(folder).network
    root = in_pipeline(folder, tmp_path)
    imported = read(root)
    assert same(network, imported)
    assert len(imported.diffusion().betas) == 40


def test_folders_of_something_else_are_refused(folder, tmp_path):
    root = in_pipeline(folder, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"must be the folder of a .*has no config\.json"):
        read(root / "scheduler")
    (root / "vqvae").mkdir()
    with pytest.raises(ValueError, match="draws latents that its vqvae decodes"):
        read(root)


def test_variants_are_read_by_name_and_the_only_one_by_itself(folder):
    tensors = diffusers_tensors()
    network = read(folder).network
    half = {name: value.astype("float16") for name, value in tensors.items()}
    save_file(half, folder / f"{WEIGHTS}.fp16.safetensors")
    assert same(network, read(folder))
    first = read(folder, variant="fp16").network.weights[0]
    np.testing.assert_allclose(first, network.weights[0], rtol=1e-3, atol=1e-6)
    with pytest.raises(FileNotFoundError, match=r"holds no .*\.non_ema\.safetensors"):
        read(folder, variant="non_ema")
    (folder / f"{WEIGHTS}.safetensors").rename(folder / f"{WEIGHTS}.non_ema.safetensors")
    with pytest.raises(ValueError, match=r"`variant` must be one of those in .*: fp16, non_ema"):
        read(folder)
    (folder / f"{WEIGHTS}.fp16.safetensors").unlink()
    assert same(network, read(folder))


def shard(folder, **files):
    """Write the tensors into two files and an index, whose names may be given."""
    tensors = diffusers_tensors()
    names = sorted(tensors)
    parts = {0: names[:9], 1: names[9:]}
    weight_map = {}
    for index, part in parts.items():
        file = f"{WEIGHTS}-{index + 1:05}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, folder / file)
        weight_map |= dict.fromkeys(part, file)
    weight_map |= files
    (folder / f"{WEIGHTS}.safetensors").unlink()
    index = json.dumps({"weight_map": weight_map})
    (folder / f"{WEIGHTS}.safetensors.index.json").write_text(index)


def test_shards_are_read_together(folder):
    network = read(folder).network
    shard(folder)
    assert same(network, read(folder))


@pytest.mark.parametrize("name", ["../diffusion_pytorch_model.bin", "/etc/passwd", ".."])
def test_an_index_stays_in_its_folder(folder, name):
    shard(folder, extra=name)
    with pytest.raises(ValueError, match=r"must name files beside it, received"):
        read(folder)


def test_a_shard_that_was_not_downloaded_is_named(folder):
    shard(folder)
    (folder / f"{WEIGHTS}-00002-of-00002.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"names '.*00002-of-00002.*', which is not beside"):
        read(folder)


def test_a_file_of_a_folder_has_the_configuration_beside_it(folder):
    file = folder / f"{WEIGHTS}.safetensors"
    assert same(read(folder).network, read(file))
    (folder / "config.json").unlink()
    with pytest.raises(ValueError, match="`sample_size` must be given"):
        read(file)


def test_an_index_that_is_none_is_refused(folder):
    (folder / f"{WEIGHTS}.safetensors").unlink()
    (folder / f"{WEIGHTS}.safetensors.index.json").write_text('{"weight_map": [1]}')
    with pytest.raises(ValueError, match="must hold a `weight_map` from tensors to files"):
        read(folder)


def test_a_pointer_of_git_lfs_is_told_from_a_file(folder):
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"
    (folder / f"{WEIGHTS}.safetensors").write_text(text)
    with pytest.raises(ValueError, match=r"is a git-lfs pointer .* run `git lfs pull`"):
        read(folder)
