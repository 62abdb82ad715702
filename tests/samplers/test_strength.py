import numpy as np
import pytest

from gddim_tf.samplers import DDIM, GDDIM, ListGrid, default
from gddim_tf.samplers.strength import noise_fraction, time_of_strength
from gddim_tf.sdes import DiscreteVPSDE, RectifiedFlow
from tests.samplers.cases import SAMPLERS, budget
from tests.sdes import cases


@pytest.mark.parametrize("name", sorted({*cases.NAMES} - {"blurred_langevin"}))
def test_the_time_of_a_fraction_and_back(name):
    sde = cases.sde(name)
    fractions = np.array([0.2, 0.5, 0.9])
    times = np.array([time_of_strength(sde, f) for f in fractions])
    assert np.all(np.diff(times) > 0)
    np.testing.assert_allclose(noise_fraction(sde, times), fractions, atol=1e-6)
    assert time_of_strength(sde, 1.0) == sde.t_max
    assert noise_fraction(sde, np.array([sde.t_max])) == 1


def test_on_a_variance_preserving_diffusion_it_is_nearly_the_time():
    np.testing.assert_allclose(time_of_strength(cases.sde("vp"), 0.5), 0.5, atol=0.01)


def test_a_strength_that_leads_to_where_sampling_ends_is_refused():
    with pytest.raises(ValueError, match=r"`strength` must be above 0.0.* received 0.001"):
        time_of_strength(DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000)), 0.001)


@pytest.mark.parametrize(
    "name", ["ddim", "gddim_2", "gddim_free", "heun", "unipc_2", "plms", "sscs"]
)
@pytest.mark.parametrize("sde", ["vp", "cld", "flow", "vp_zero_snr", "third_order", "bdm"])
def test_a_table_from_a_time_starts_there_and_spends_the_budget(name, sde):
    sampler, sde = SAMPLERS[name], cases.sde(sde)
    start, nfe = time_of_strength(sde, 0.4), budget(sampler, 8)
    table = sampler.table_from(sde, start, nfe)
    assert table.nfe == nfe
    assert table.time.max() == table.time[0] <= start
    if not table.stochastic:
        assert table.time[0] == pytest.approx(start)


def test_a_table_from_the_end_is_the_table():
    sde = RectifiedFlow()
    whole, same = DDIM().table(sde, 5), DDIM().table_from(sde, sde.t_max, 5)
    np.testing.assert_array_equal(whole.state, same.state)
    np.testing.assert_array_equal(whole.time, same.time)


def test_from_a_time_on_the_exact_flow_is_the_same():
    """Two tables in a row are one: the rest of the grid from one of its times."""
    sde = cases.sde("vp")
    grid = GDDIM(order=0).table(sde, 12).time
    rest = GDDIM(order=0, grid=ListGrid((*grid[4:], sde.t_min))).table_from(sde, grid[4], 8)
    np.testing.assert_allclose(rest.state, GDDIM(order=0).table(sde, 12).state[4:], rtol=1e-12)


def test_the_default_spends_small_budgets_from_any_time():
    for name in ("vp", "cld", "bdm", "discrete"):
        sde = cases.sde(name)
        for nfe in (1, 2, 5):
            assert default(sde, nfe).table_from(sde, time_of_strength(sde, 0.3), nfe).nfe == nfe
