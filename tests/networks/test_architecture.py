"""What an architecture refuses, and what follows from it."""

import pytest

from gddim_tf.networks import Architecture


def test_defaults_follow_from_the_rest():
    arch = Architecture(32, 3, components=2, channel_multipliers=[1, 1.5], base_channels=16)
    assert arch.out_channels == 6
    assert arch.in_channels == 6
    assert arch.widths == (16, 24)
    assert arch.levels == 2
    assert arch.embedding_width == 64
    assert arch.channel_multipliers == (1, 1.5)  # lists, as in saved files, become tuples


def test_groups_are_a_quarter_of_the_channels_up_to_32():
    arch = Architecture(32, 3)
    assert [arch.groups(c) for c in (16, 48, 128, 256)] == [4, 12, 32, 32]
    assert Architecture(32, 3, norm_groups=8).groups(256) == 8


def test_attention_is_by_resolution():
    arch = Architecture(32, 3, attention_resolutions=[16, 4])
    assert [arch.has_attention(level) for level in range(4)] == [False, True, False, True]


def test_patches_divide_the_size_and_multiply_the_channels():
    options = {"channel_multipliers": (1, 2), "attention_resolutions": (7,)}
    arch = Architecture(28, 1, components=2, patch_size=2, **options)
    assert (arch.feature_size, arch.patch_in_channels, arch.patch_out_channels) == (14, 8, 8)
    assert [arch.has_attention(level) for level in range(2)] == [False, True]
    assert Architecture(21, 3, patch_size=3, channel_multipliers=(1,)).feature_size == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 30}, r"`image_size` must be divisible by 8 for 4 levels, received 30"),
        ({"image_size": 48, "patch_size": 4}, r"by 32 for 4 levels of patches of 4, received 48"),
        ({"patch_size": 0}, r"`patch_size` must be an integer of at least 1, received 0"),
        ({"patch_size": True}, r"`patch_size` must be an integer of at least 1, received True"),
        ({"num_classes": False}, r"`num_classes` must be an integer .*, received False"),
        ({"image_size": True}, r"`image_size` must be an integer of at least 1, received True"),
        ({"image_size": (8, True)}, r"`image_size` must be .* received \(8, True\)"),
        ({"image_size": 0}, r"`image_size` must be an integer of at least 1, received 0"),
        ({"image_size": 32.0}, r"`image_size` must be an integer .* received 32.0"),
        ({"channels": 0}, r"`channels` must be an integer of at least 1"),
        ({"components": -1}, r"`components` must be"),
        ({"base_channels": 2}, r"`base_channels` must be an integer of at least 4, received 2"),
        ({"blocks_per_level": 0}, r"`blocks_per_level` must be"),
        ({"num_classes": -1}, r"`num_classes` must be an integer of at least 0, received -1"),
        ({"norm_groups": 0}, r"`norm_groups` must be an integer of at least 1, received 0"),
        ({"channel_multipliers": ()}, r"`channel_multipliers` must hold at least one level"),
        ({"channel_multipliers": (1, 0.01)}, r"`channel_multipliers` .* at least 4 channels"),
        ({"dropout": 1.0}, r"`dropout` must be in \[0, 1\), received 1.0"),
        ({"embedding": "none"}, r"`embedding` must be one of .* received 'none'"),
        ({"resampling": "fir"}, r"`resampling` must be one of"),
        ({"resampling": None}, r"`resampling` must be one of"),
        ({"up_attention": "all"}, r"`up_attention` must be one of"),
        ({"input_pyramid": "input_skip"}, r"`input_pyramid` must be one of"),
        ({"output_pyramid": True}, r"`output_pyramid` must be one of"),
        ({"pyramid_combine": "mean"}, r"`pyramid_combine` must be one of"),
        ({"fir_kernel": (1,)}, r"`fir_kernel` must hold at least 2 taps"),
        ({"scale_by_sigma": True}, r"`embedding` must be 'fourier', received 'positional'"),
    ],
)
def test_values_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Architecture(**{"image_size": 32, "channels": 3, **options})


def test_unknown_options_are_named():
    with pytest.raises(TypeError, match=r"unknown options \['nf'\]; the options .*base_channels"):
        Architecture.from_options({"image_size": 32, "channels": 3, "nf": 128})


def test_channels_that_cannot_be_grouped_are_refused():
    with pytest.raises(ValueError, match=r"`norm_groups`: 12 channels .* 8 groups"):
        Architecture(32, 3, norm_groups=8).groups(12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": (32, 30)}, r"divisible by 8 for 4 levels, received \(32, 30\)"),
        ({"image_size": (32, 0)}, r"`image_size` must be \(height, width\), integers of at least"),
        ({"image_size": (32, 32, 32)}, r"`image_size` must be \(height, width\)"),
        ({"activation": "tanh"}, "`activation` must be one of .* received 'tanh'"),
        ({"middle": "block"}, "`middle` must be one of"),
        ({"middle_groups": -1}, "`middle_groups` must be an integer of at least 0"),
        ({"label_place": "middle"}, "`label_place` must be one of"),
        ({"head_channels": 7}, r"`head_channels` must divide the channels of every attention"),
        ({"norm_epsilon": 0.0}, "`norm_epsilon` must be positive, received 0.0"),
        ({"frequency_shift": 64}, "`frequency_shift` must be below the number of frequencies, 64"),
        ({"embedding_channels": 0}, "`embedding_channels` must be an integer of at least 1"),
        ({"downsample_padding": "before"}, "`downsample_padding` must be one of"),
        ({"resampling": ("layer",)}, "one for each of 3 steps between levels, received"),
        ({"up_resampling": ("layer", "fir", "block")}, "`up_resampling` must be one of"),
    ],
)
def test_options_of_other_libraries_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        Architecture(**{"image_size": 32, "channels": 3, **options})


def test_a_size_is_one_number_or_two():
    assert Architecture([8, 8], 1).image_size == 8
    arch = Architecture([32, 64], 1, patch_size=2, attention_resolutions=(8,))
    assert (arch.image_size, arch.feature_size) == ((32, 64), 16)
    assert [arch.has_attention(level) for level in range(4)] == [False, True, False, False]
