"""Networks of diffusers in configurations drawn at random give the outputs recorded of them."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from gddim_tf.checkpoints import read
from tests.checkpoints.goldens import FOLDER
from tests.checkpoints.seeded import weights

RECORD = np.load(FOLDER / "unet_matrix.npz")
CONFIGS = json.loads(str(RECORD["config"]))
SHAPES = json.loads(str(RECORD["shapes"]))
TOLERANCE = 1e-5


def channels_last(images):
    return images.transpose(0, 2, 3, 1)


@pytest.mark.parametrize("case", range(len(CONFIGS)))
def test_a_configuration_drawn_at_random(case, tmp_path):
    tensors = weights(SHAPES[case], case)
    save_file(tensors, tmp_path / "w.safetensors")
    network = read(tmp_path / "w.safetensors", config=CONFIGS[case]).network
    x, y = channels_last(RECORD[f"x_{case}"]), channels_last(RECORD[f"y_{case}"])
    labels = np.array([0, 2]) if network.num_classes else None
    out = np.asarray(network(x, RECORD[f"time_{case}"], labels))
    assert np.abs(out - y).max() < TOLERANCE * np.abs(y).max()


def test_every_setting_occurs_twice():
    """Apart from those that the network refuses."""
    for name, values in {
        "freq_shift": (0, 1),
        "flip_sin_to_cos": (True, False),
        "downsample_padding": (0, 1),
        "attention_head_dim": (None, 2, 4),
        "norm_eps": (1e-6, 1e-5, 1e-3),
        "act_fn": ("silu", "swish", "gelu", "relu", "mish"),
        "resnet_time_scale_shift": ("default", "scale_shift"),
        "add_attention": (True, False),
        "dropout": (0.0, 0.1),
        "num_class_embeds": (None, 3),
        "class_embed_type": (None, "timestep"),
        "center_input_sample": (True, False),
        "time_embedding_type": ("positional", "fourier"),
        "time_embedding_dim": (None, 24),
        "downsample_type": ("conv", "resnet"),
        "upsample_type": ("conv", "resnet"),
        "mid_block_type": ("UNetMidBlock2D", None),
        "attn_norm_num_groups": (None, 2),
        "sample_size": (8, [8, 16], [16, 8]),
    }.items():
        found = [config[name] for config in CONFIGS if name in config]
        assert all(found.count(value) >= 2 for value in values), name
    kinds = [kind for config in CONFIGS for kind in config["down_block_types"]]
    for kind in ("Down", "AttnDown", "ResnetDownsample", "SkipDown", "AttnSkipDown"):
        assert kinds.count(f"{kind}Block2D") >= 2
