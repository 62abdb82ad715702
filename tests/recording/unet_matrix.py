"""Record the outputs of diffusers' `UNet2DModel` in configurations drawn at random.

For developers only, with torch and diffusers installed, which the package does not need:

    python -m tests.recording.unet_matrix

It writes `tests/golden/unet_matrix.npz`: configurations, the names and shapes of their weights
(whose values follow from the number of the case), inputs and outputs.
"""

import collections
import json
import random

import diffusers
import numpy as np
import torch

from tests.checkpoints.goldens import FOLDER
from tests.checkpoints.seeded import uniform, weights

CASES, BATCH, SEED, ROOT = 24, 2, 11, 2**0.5
CHOICES = {
    "sample_size": [8, 8, [8, 16], [16, 8]],
    "in_channels": [3, 1],
    "center_input_sample": [False, False, True],
    "time_embedding_type": ["positional", "positional", "positional", "fourier"],
    "time_embedding_dim": [None, None, None, 24],
    "freq_shift": [0, 1],
    "flip_sin_to_cos": [True, False],
    "mid_block_type": ["UNetMidBlock2D"] * 5 + [None],
    "block_out_channels": [[8, 16], [16, 8], [12, 12], [8, 12, 16]],
    "layers_per_block": [1, 2],
    "downsample_padding": [0, 1],
    "downsample_type": ["conv", "resnet"],
    "upsample_type": ["conv", "resnet"],
    "dropout": [0.0, 0.1],
    "act_fn": ["silu", "swish", "gelu", "relu", "mish"],
    "attention_head_dim": [None, 2, 4],
    "norm_num_groups": [2, 4],
    "attn_norm_num_groups": [None, None, 2],
    "norm_eps": [1e-6, 1e-5, 1e-3],
    "resnet_time_scale_shift": ["default", "scale_shift"],
    "add_attention": [True, True, False],
    "class_embed_type": [None, None, "timestep"],
    "num_class_embeds": [None, 3],
}
LEVELS = [
    ("DownBlock2D", "UpBlock2D"),
    ("AttnDownBlock2D", "AttnUpBlock2D"),
    ("ResnetDownsampleBlock2D", "ResnetUpsampleBlock2D"),
    ("DownBlock2D", "ResnetUpsampleBlock2D"),
]
SKIPS = {
    "block_out_channels": [8, 16],
    "in_channels": 3,
    "out_channels": 3,
    "norm_num_groups": None,
    "attn_norm_num_groups": None,
    "mid_block_scale_factor": ROOT,
    "down_block_types": ["SkipDownBlock2D"] * 2,
    "up_block_types": ["SkipUpBlock2D"] * 2,
}
ATTENDING_SKIPS = {
    **SKIPS,
    "block_out_channels": [32, 128],
    "layers_per_block": 1,
    "down_block_types": ["SkipDownBlock2D", "AttnSkipDownBlock2D"],
    "up_block_types": ["AttnSkipUpBlock2D", "SkipUpBlock2D"],
}


def configuration(case: int, rng: random.Random) -> dict:
    """One configuration; every sixth is a network of skips, the first is the library's default."""
    config = {name: rng.choice(values) for name, values in CHOICES.items()}
    config["out_channels"] = config["in_channels"]
    kinds = [rng.choice(LEVELS) for _ in config["block_out_channels"]]
    config["down_block_types"] = [down for down, _ in kinds]
    config["up_block_types"] = [up for _, up in reversed(kinds)]
    if case % 6 == 4:
        config |= SKIPS if case % 12 == 4 else ATTENDING_SKIPS
    if config["class_embed_type"] and config["num_class_embeds"] is None:
        config["class_embed_type"] = None
    if config["time_embedding_type"] == "fourier":
        config["class_embed_type"] = None
    if case < 2:  # the library's defaults but for the size
        kept = {"sample_size": 8, "block_out_channels": [32, 64], "layers_per_block": 1}
        types = {
            "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
            "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
        }
        config = {**kept, **types}
    return config


def record(case: int, config: dict) -> dict:
    """Run one network; returns what the golden file holds of it."""
    network = diffusers.UNet2DModel(**config).eval()
    shapes = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    tensors = {name: torch.tensor(value) for name, value in weights(shapes, case).items()}
    network.load_state_dict(tensors)
    size = config["sample_size"]
    size = [size, size] if isinstance(size, int) else size
    shape = (BATCH, config.get("in_channels", 3), *size)
    x = 2 * uniform(1000 + case, int(np.prod(shape))).reshape(shape)
    fourier = config.get("time_embedding_type") == "fourier"
    time = np.array([0.05, 7.5] if fourier else [3, 871], np.float32)
    labels = torch.tensor([0, 2]) if config.get("num_class_embeds") else None
    with torch.no_grad():
        y = network(torch.tensor(x), torch.tensor(time), labels).sample.numpy()
    return {"config": config, "shapes": shapes, "x": x, "time": time, "y": y}


def main() -> None:
    """Draw the configurations, run them and write the file."""
    rng = random.Random(SEED)
    records = [record(case, configuration(case, rng)) for case in range(CASES)]
    arrays = {
        f"{name}_{case}": one[name].astype(np.float32)
        for case, one in enumerate(records)
        for name in ("x", "time", "y")
    }
    texts = {name: json.dumps([one[name] for one in records]) for name in ("config", "shapes")}
    versions = f"diffusers {diffusers.__version__}, torch {torch.__version__}"
    np.savez_compressed(FOLDER / "unet_matrix.npz", **arrays, **texts, versions=versions)
    counts = collections.Counter(
        f"{name}={value}"
        for one in records
        for name, setting in one["config"].items()
        for value in (setting if "types" in name else [setting])
    )
    rare = sorted(text for text, count in counts.items() if count < 2)
    print(f"{CASES} configurations, seen only once: {rare}")
    print([f"{np.abs(one['y']).max():.2f}" for one in records])


if __name__ == "__main__":
    main()
