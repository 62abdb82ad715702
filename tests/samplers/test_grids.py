import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from gddim_tf.samplers import (
    DDIM,
    ListGrid,
    LogSNRGrid,
    PowerGrid,
    RhoGrid,
    SubsequenceGrid,
)
from gddim_tf.samplers.grids import check_grid
from gddim_tf.sdes import CLD, VESDE, VPSDE, DiscreteVPSDE
from tests.samplers.cases import ALL_SDES
from tests.samplers.problems import golden

GRIDS = [PowerGrid(1.0), PowerGrid(2.0), PowerGrid(5.0), RhoGrid(3.0), RhoGrid(7.0), LogSNRGrid()]
BETAS = np.linspace(1e-4, 0.02, 1000)


@pytest.mark.parametrize("name", ALL_SDES)
@pytest.mark.parametrize("grid", GRIDS, ids=repr)
@hypothesis.settings(max_examples=10, deadline=None)
@hypothesis.given(steps=st.sampled_from([1, 2, 3, 7, 50, 333, 1000]))
def test_grids_decrease_from_end_to_end(name, grid, steps):
    sde = ALL_SDES[name]
    times = grid(sde, steps)
    assert times.shape == (steps + 1,)
    assert times[0] == sde.t_max
    assert times[-1] == sde.t_min
    assert np.all(np.diff(times) < 0)


def test_power_grid_is_the_published_one():
    np.testing.assert_allclose(
        PowerGrid(2.0)(CLD(), 20), golden("cldA_coeffs")["N20p2_ts"], rtol=1e-12
    )
    np.testing.assert_allclose(
        PowerGrid(2.0)(VPSDE(), 5), golden("deis_vp_coeffs")["t2_N5_ts"], rtol=1e-12
    )


def test_rho_grid_is_the_published_one():
    times = golden("deis_vp_coeffs")["rho7_N20_ts"]
    np.testing.assert_allclose(RhoGrid(7.0)(VPSDE(), 20), times, rtol=1e-9)
    sigmas = (80 ** (1 / 7) + np.arange(18) / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    np.testing.assert_allclose(RhoGrid()(VESDE.karras(), 17), sigmas, rtol=1e-10)


def test_log_snr_grid_is_geometric_in_rho():
    times = golden("deis_ve_coeffs")["log1_N20_ts"]
    np.testing.assert_allclose(LogSNRGrid()(VESDE(), 20), times, atol=1e-12)
    rho = CLD().rho(LogSNRGrid()(CLD(), 10))
    np.testing.assert_allclose(rho[1:] / rho[:-1], rho[1] / rho[0], rtol=1e-7)


def test_log_snr_grid_needs_noise_where_it_ends():
    with pytest.raises(ValueError, match="a log-SNR grid needs noise at `t_min`"):
        LogSNRGrid()(VPSDE(t_min=0.0), 10)


def test_list_grid():
    grid = ListGrid([1.0, 0.4, 0.1])
    np.testing.assert_array_equal(grid(VPSDE(), 2), [1.0, 0.4, 0.1])
    assert hash(grid) == hash(ListGrid((1.0, 0.4, 0.1)))
    with pytest.raises(ValueError, match="makes 2 steps, the budget asks for 3"):
        grid(VPSDE(), 3)
    with pytest.raises(ValueError, match=r"times must lie in \[0, 1.0\], received 0.5 to 2.0"):
        ListGrid([2.0, 0.5])(VPSDE(), 1)
    with pytest.raises(ValueError, match=r"received 0.4 followed by 0.4 at step 1"):
        ListGrid([1.0, 0.4, 0.4])


@pytest.mark.parametrize("times", [[0.5], [1.0, np.nan], [0.5, 0.5]])
def test_grids_are_checked(times):
    with pytest.raises(ValueError, match=r"a grid needs|must be strictly decreasing"):
        check_grid(np.array(times))


def test_a_grid_may_also_lead_from_data_to_noise():
    np.testing.assert_array_equal(check_grid(np.array([0.1, 0.5])), [0.1, 0.5])


@pytest.mark.parametrize("steps", [1, 2, 7, 10, 1000])
def test_sub_sequences(steps):
    sde = DiscreteVPSDE(BETAS)
    uniform = SubsequenceGrid()(sde, steps)
    np.testing.assert_array_equal(uniform[:-1][::-1] - 1, np.arange(steps) * (1000 // steps))
    trailing = SubsequenceGrid("trailing")(sde, steps)
    assert trailing[0] == 1000
    quadratic = SubsequenceGrid("quadratic")(sde, steps)[:-1][::-1] - 1
    indices = np.floor(np.linspace(0, 800**0.5, steps) ** 2)
    np.testing.assert_array_equal(quadratic, sorted(set(indices)))
    for times in (uniform, trailing):
        assert times[-1] == 0
        assert len(times) == steps + 1


def test_sub_sequence_of_published_programs():
    sde, z = DiscreteVPSDE(BETAS), golden("diffusers_euler_heun")
    for kind, name in (("uniform", "leading"), ("trailing", "trailing")):
        times = SubsequenceGrid(kind)(sde, 10)
        np.testing.assert_array_equal(times[:-1] - 1, z[f"df_euler_{name}_N10__timesteps"])


def test_sub_sequence_errors():
    with pytest.raises(ValueError, match=r"`kind` must be .*received \'random\'"):
        SubsequenceGrid("random")
    with pytest.raises(ValueError, match="needs a discrete schedule of at least as many steps"):
        SubsequenceGrid()(VPSDE(), 10)
    with pytest.raises(ValueError, match="needs a discrete schedule of at least as many steps"):
        SubsequenceGrid()(DiscreteVPSDE(BETAS[:10]), 11)


def test_a_sampler_takes_any_function_as_its_grid():
    table = DDIM(grid=lambda sde, steps: np.linspace(0.9, 0.3, steps + 1)).table(VPSDE(), 4)
    np.testing.assert_allclose(table.time, [0.9, 0.75, 0.6, 0.45])
