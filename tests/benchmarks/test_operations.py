"""Which operations an evaluation's time is told of; the times themselves are not tested."""

import pytest

from benchmarks.speed.operations import by_kind, operations


def test_operations_are_told_by_kind():
    sums = by_kind(
        {
            "while/body/score_unet/down_0_block_0/conv1/convolution:_MklNativeFusedConv2D": 8.0,
            "while/body/score_unet/norm_out/mul:Mul": 4.0,
            "while/body/score_unet/mid_attn/norm/AddV2:AddV2": 0.25,
            "while/body/score_unet/down_0_block_0/conv1/Reshape:Reshape": 0.125,
            "aten::native_group_norm": 2.0,
            "aten::_convolution": 1.0,
            "aten::addmm": 0.5,
        }
    )
    assert sums["convolutions"] == 9 and sums["group normalizations"] == 6.25
    assert sums["matrix products and attention"] == 0.5 and sums["activations"] == 0
    assert sums["other"] == 0.125 and sums["all"] == 15.875


def test_the_operations_of_a_draw(model):
    sums = by_kind(operations(model, 2, 1))
    assert all(sums[kind] > 0 for kind in ("convolutions", "group normalizations", "activations"))
    assert sum(sums.values()) == pytest.approx(2 * sums["all"])
