"""The list of parts, and the shapes that follow from it."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from gddim_tf.networks import PRESETS, Architecture, ScoreUNet, layout, weight_shapes


def names(architecture):
    return [part.name for part in layout(architecture)]


def test_ddpm_has_attention_after_every_block_of_its_level():
    parts = names(Architecture(**PRESETS["ddpm_cifar10"]))
    attention = [name for name in parts if ".attn" in name]
    up = [f"up.1.attn.{block}" for block in range(3)]
    assert attention == ["down.1.attn.0", "down.1.attn.1", "mid.attn", *up]
    assert "down.3.downsample" not in parts
    assert "up.0.upsample" not in parts


def test_ncsnpp_has_attention_once_on_the_way_up():
    parts = names(Architecture(**PRESETS["ncsnpp_deep_cld_cifar10"]))
    assert [name for name in parts if name.startswith("up.") and "attn" in name] == ["up.1.attn.8"]
    blocks = layout(Architecture(**PRESETS["ncsnpp_deep_cld_cifar10"]))
    assert sum(part.kind == "block" for part in blocks) == 76
    assert sum(part.kind == "attention" for part in blocks) == 10
    assert sum(part.name.endswith("input_pyramid") for part in blocks) == 3


def test_skips_are_consumed_newest_first():
    """Widths (8, 16, 32): each block on the way up sees the features and one skip."""
    arch = Architecture(16, 1, base_channels=8, channel_multipliers=(1, 2, 4), blocks_per_level=1)
    up = {p.name: p.width for p in layout(arch) if p.name.startswith("up.") and p.kind == "block"}
    assert up == {
        "up.2.block.0": 32 + 32,
        "up.2.block.1": 32 + 16,
        "up.1.block.0": 32 + 16,
        "up.1.block.1": 16 + 8,
        "up.0.block.0": 16 + 8,
        "up.0.block.1": 8 + 8,
    }


def test_the_order_is_that_of_application():
    arch = Architecture(
        8, 1, base_channels=8, channel_multipliers=(1, 1), blocks_per_level=1,
        attention_resolutions=(), input_pyramid="skip", output_pyramid="skip",
    )  # fmt: skip
    assert names(arch) == [
        "temb.dense_0",
        "temb.dense_1",
        "conv_in",
        "down.0.block.0",
        "down.0.downsample",
        "down.0.input_pyramid",
        "down.0.combine",
        "down.1.block.0",
        "mid.block.0",
        "mid.attn",
        "mid.block.1",
        "up.1.block.0",
        "up.1.block.1",
        "up.1.pyramid_norm",
        "up.1.pyramid_conv",
        "up.1.upsample",
        "up.0.block.0",
        "up.0.block.1",
        "up.0.pyramid_upsample",
        "up.0.pyramid_norm",
        "up.0.pyramid_conv",
    ]


ARCHITECTURES = st.fixed_dictionaries(
    {
        "channels": st.integers(1, 3),
        "components": st.integers(1, 2),
        "out_channels": st.sampled_from([None, 2]),
        "patch_size": st.sampled_from([1, 2]),
        "base_channels": st.sampled_from([4, 8]),
        "channel_multipliers": st.sampled_from([(1,), (1, 2), (2, 1, 3)]),
        "blocks_per_level": st.integers(1, 2),
        "attention_resolutions": st.sampled_from([(), (4,), (8, 2)]),
        "up_attention": st.sampled_from(["every", "last"]),
        "num_classes": st.sampled_from([0, 3]),
        "embedding": st.sampled_from(["positional", "fourier"]),
        "resampling": st.sampled_from(["layer", "block"]),
        "resampling_conv": st.booleans(),
        "fir_kernel": st.sampled_from([None, (1, 3, 3, 1)]),
        "skip_rescale": st.booleans(),
        "input_pyramid": st.sampled_from(["none", "skip", "residual"]),
        "output_pyramid": st.sampled_from(["none", "skip", "residual"]),
        "pyramid_combine": st.sampled_from(["sum", "cat"]),
        "centered": st.booleans(),
    }
)


@settings(deadline=None, max_examples=8)
@given(options=ARCHITECTURES)
def test_any_combination_builds_runs_and_has_the_announced_weights(options):
    network = ScoreUNet(image_size=8, norm_groups=2, **options)
    announced = weight_shapes(network.architecture)
    found = {name: tuple(v.shape) for name, v in network.named_weights().items()}
    assert list(found) == list(announced)
    assert found == announced
    assert len(found) == len(network.weights)
    state = np.zeros((2, 8, 8, options["channels"] * options["components"]), "float32")
    out = network(state, np.array([0.5, 1.0], "float32"))
    assert tuple(out.shape) == (2, 8, 8, network.out_channels)
