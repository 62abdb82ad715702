import numpy as np
import pytest

from gddim_tf.samplers import (
    DDIM,
    GDDIM,
    RK45,
    NotInvertibleError,
    PowerGrid,
    RhoGrid,
    SubsequenceGrid,
)
from gddim_tf.sdes import VPSDE, DiscreteVPSDE
from tests.samplers.cases import ALL_SDES, PAIRS, SAMPLERS, budget

NOISY = {
    *("gddim_lam", "gddim_lam_1", "ddim_eta", "euler_maruyama", "sscs"),
    *("sde_dpm_2", "sde_dpm_3", "sa_2", "sa_3", "er_sde", "churn", "restart"),
}
NO_WAY_BACK = {*NOISY, "ancestral", "ancestral_clip", "gddim_denoise"}


@pytest.mark.parametrize(("sde", "sampler"), PAIRS)
def test_what_can_be_inverted(sde, sampler):
    """All that draws no noise, except for a last step to the mean."""
    diffusion, method = ALL_SDES[sde], SAMPLERS[sampler]
    nfe = budget(method, 4, diffusion)
    if sampler in NO_WAY_BACK:
        with pytest.raises(NotInvertibleError, match="cannot be inverted here"):
            method.encode(diffusion, nfe)
    else:
        table = method.encode(diffusion, nfe)
        assert table.time[0] == table.time.min() == (1.0 if sde == "discrete" else diffusion.t_min)
        assert table.nfe == nfe


def test_encoding_begins_where_the_network_is_trained():
    sde = DiscreteVPSDE(np.linspace(1e-4, 0.02, 100))
    np.testing.assert_allclose(
        DDIM().encode(sde, 50).time, np.linspace(1.0, 10.0, 51)[:-1] ** 2, rtol=1e-12
    )
    steps = DDIM(grid=SubsequenceGrid()).encode(sde, 10)
    np.testing.assert_array_equal(steps.time, np.arange(1, 91, 10))


@pytest.mark.parametrize("name", ALL_SDES)
def test_the_first_time_of_a_network(name):
    assert ALL_SDES[name].t_first == (1.0 if name == "discrete" else ALL_SDES[name].t_min)


@pytest.mark.parametrize("nfe", [0, -1, 1.5, True, "3", None, float("nan"), float("inf")])
def test_a_budget_is_a_whole_number(nfe):
    with pytest.raises(ValueError, match="`nfe` must be a whole number of at least 1, received"):
        DDIM().table(VPSDE(), nfe)


@pytest.mark.parametrize("grid", [3, "power", None])
def test_a_grid_is_one(grid):
    with pytest.raises(TypeError, match=r"`grid` must be one, such as PowerGrid\(2\.0\), received"):
        GDDIM(grid=grid).table(VPSDE(), 3)


@pytest.mark.parametrize("order", [-1, 1.5, "2", None, True])
def test_an_order_is_a_whole_number(order):
    with pytest.raises(ValueError, match="`order` must be a whole number of at least 0, received"):
        GDDIM(order=order)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_tolerances_and_powers_are_positive_and_finite(value):
    for kind, name in ((RK45, "rtol"), (RK45, "atol"), (PowerGrid, "power"), (RhoGrid, "power")):
        with pytest.raises(ValueError, match=f"`{name}` must be .*, received {value}"):
            kind(**{name: value})
