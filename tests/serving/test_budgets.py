import numpy as np
import pytest

from gddim_tf.samplers import DDIM, GDDIM, UniPC
from gddim_tf.sdes import VPSDE, DiscreteVPSDE
from gddim_tf.serving.budgets import Budgets
from tests.conftest import own_model


@pytest.mark.parametrize(
    ("sde", "sampler", "decodes", "encodes"),
    [
        (VPSDE(), DDIM(), True, True),
        (VPSDE(), DDIM(eta=1.0), False, False),
        (VPSDE(), GDDIM(denoise=True), True, False),
        (DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000)), UniPC(), True, True),
    ],
    ids=lambda value: str(value)[:20],
)
def test_encode_is_left_out_where_there_is_no_way_back(sde, sampler, decodes, encodes):
    budgets = Budgets(own_model(sde), {"few": (sampler, 5), "many": (sampler, 8)})
    assert (budgets.decoding is not None) == decodes
    assert (budgets.encoding is not None) == encodes
    if encodes:
        number, position = budgets.encoding
        assert budgets.groups[number][position] is budgets.encoding_table
        assert budgets.encoding_table.time[0] == sde.t_first
