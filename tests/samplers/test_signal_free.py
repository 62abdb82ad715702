"""Samplers from and to a time at which nothing is left of the data."""

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.samplers import (
    DDIM,
    GDDIM,
    Heun,
    ListGrid,
    LogSNRGrid,
    PowerGrid,
    RhoRK,
    UniPC,
    default,
    run,
)
from gddim_tf.sdes import VPSDE, DiscreteVPSDE, RectifiedFlow, zero_snr_betas
from tests.oracles import Mixture
from tests.samplers.cases import SAMPLERS
from tests.samplers.linear_data import end_covariance, gaussian, gaussian_covariance, single_point
from tests.samplers.replay import replay

SDES = {
    "flow": RectifiedFlow(),
    "shift": RectifiedFlow(shift=3.0),
    "vp": VPSDE(zero_snr=True),
    "discrete": DiscreteVPSDE(zero_snr_betas(np.linspace(1e-4, 0.02, 1000))),
}
# Steps that are exact for a constant prediction of the data on every diffusion.
EXACT = (
    "ddim",
    "gddim_2",
    "gddim_free",
    "gddim_pece",
    "gddim_start",
    "deis_rho_rk",
    "rho_rk_4",
    "heun_rho",
    "ipndm",
    "plms",
    "f_pndm",
    "dpm_solver_2",
    "dpm_solver_3",
    "unipc_2",
)
NOISY = ("gddim_lam", "gddim_lam_1", "ddim_eta", "euler_maruyama", "ancestral", "sscs")


def table_of(sampler, sde, least):
    """The table of the smallest budget from `least` on that the sampler can spend."""
    for nfe in range(least, least + 40):
        try:
            return sampler.table(sde, nfe)
        except ValueError as error:
            assert "`nfe` must be" in str(error) or "a step with 3 evaluations" in str(error)
    raise AssertionError(f"{sampler} takes no budget from {least} on")


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_starts_where_no_signal_is_left(name, sampler):
    sde, method = SDES[name], SAMPLERS[sampler]
    if name == "discrete" and sampler == "gddim_denoise":
        return  # no noise where it ends
    for least in (4, 13):
        table = table_of(method, sde, least)
        assert table.time[0] == sde.t_max
        assert np.all(np.diff(table.time[table.commit & table.keep]) <= 0)
        assert table.time.min() >= sde.t_earliest


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("sampler", EXACT)
def test_one_data_point_is_reached_exactly(name, sampler):
    sde = SDES[name]
    eps, clean = single_point(sde)
    start = np.array([[0.7], [-1.9]])
    end, _ = replay(table_of(SAMPLERS[sampler], sde, 9), eps, start)
    signal, noise = sde.transition(sde.t_min, 0.0).item(), sde.root(sde.t_min).item()
    np.testing.assert_allclose(end, signal * clean + noise * start, atol=1e-9)


def gaussian_error(sde, sampler, least):
    """Against the exact flow of a Gaussian, which keeps the place within the distribution."""
    data = Mixture.gaussian(sde, np.array([0.3]), 0.25)
    start = np.linspace(-2, 2, 9)[:, None]
    table = table_of(sampler, sde, least)
    end, _ = replay(table, data.eps, start)
    mean, variance = (moment.item() for moment in data.moments(sde.t_min))
    before, spread = (moment.item() for moment in data.moments(sde.t_max))
    exact = mean + np.sqrt(variance / spread) * (start - before)
    return np.abs(end - exact).max()


@pytest.mark.parametrize("name", ["flow", "vp"])
@pytest.mark.parametrize(
    ("sampler", "order"),
    [
        ("ddim", 1),
        ("euler", 1),
        ("gddim_2", 2),
        ("gddim_pece", 2),
        ("gddim_free", 2),
        ("gddim_start", 3),
        ("deis", 2),
        ("deis_rho_rk", 2),
        ("heun", 2),
        ("dpm_solver_2", 2),
        ("dpm_solver_3", 2),
        ("unipc_2", 2),
        ("s_pndm", 2),
    ],
)
def test_the_order_of_convergence_on_a_gaussian(name, sampler, order):
    errors = [gaussian_error(SDES[name], SAMPLERS[sampler], least) for least in (30, 60)]
    assert np.log2(errors[0] / errors[1]) > order - 0.25


@pytest.mark.parametrize("sampler", ["ipndm", "plms", "s_pndm", "f_pndm", "rho_rk_4"])
@pytest.mark.parametrize("least", [49, 97])
def test_the_missing_signal_costs_nothing(sampler, least):
    """Their errors are those of the schedule whose signal does not end: of second order.

    Pseudo numerical methods take steps of t for equal whatever the noise does in them, and these
    Runge-Kutta steps end with one of Euler's, next to the data, where eps is least smooth.
    """
    method = SAMPLERS[sampler]
    found, usual = (gaussian_error(sde, method, least) for sde in (SDES["vp"], VPSDE()))
    assert found < 1.05 * usual + 1e-5


def test_budgets_count_the_evaluation_without_signal():
    budgets = "`nfe` must be 39 or 41 for .*, received 40, and beside these 1 where RectifiedFlow"
    with pytest.raises(ValueError, match=f"{budgets} has no signal, received 41 in all"):
        Heun().table(RectifiedFlow(), 41)


def test_the_correction_of_the_first_step_is_worth_an_order():
    """With ten evaluations from t = 1 the error is below that of DDIM's first step."""
    for name in ("flow", "vp"):
        errors = [gaussian_error(SDES[name], GDDIM(order=2), n) for n in (10, 20, 40)]
        assert errors[0] < 0.03 and errors[2] < errors[0] / 20


@pytest.mark.parametrize("sampler", NOISY)
def test_the_covariance_of_noisy_samplers_in_the_limit(sampler):
    sde = SDES["vp"]
    data = np.array([[0.25]])
    table = table_of(SAMPLERS[sampler], sde, 160)
    end = end_covariance(table, sde, gaussian(sde, data), np.eye(1))
    np.testing.assert_allclose(end, gaussian_covariance(sde, data, sde.t_min), rtol=0.05)


@pytest.mark.parametrize("name", SDES)
def test_a_single_evaluation_gives_the_mean(name):
    sde = SDES[name]
    data = Mixture.gaussian(sde, np.array([0.3]), 0.25)
    end, _ = replay(DDIM().table(sde, 1), data.eps, np.array([[2.0]]))
    expected = 0.3 * sde.transition(sde.t_min, 0.0).item() + 2.0 * sde.root(sde.t_min).item()
    np.testing.assert_allclose(end, [[expected]], atol=1e-12)


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("sampler", [GDDIM(), Heun(flow="rho"), UniPC(), DDIM()], ids=str)
def test_there_and_back(name, sampler):
    sde = SDES[name]
    data = Mixture.gaussian(sde, np.array([0.3]), 0.25)
    clean = data.sample_state(6, sde.t_first)
    encoding = sampler.encode(sde, 100)
    assert encoding.time[0] == sde.t_first
    code, _ = replay(encoding, data.eps, clean)
    scale = np.sqrt(data.moments(sde.t_first)[1].item())
    mean = 0.3 * sde.transition(sde.t_first, 0.0).item()
    tolerance = 0.15 if isinstance(sampler, DDIM) else 0.02
    np.testing.assert_allclose(code, (clean - mean) / scale, atol=tolerance)


def test_the_loop_runs_the_corrected_first_step():
    sde = SDES["flow"]
    data = Mixture(sde, [0.6, 0.4], np.array([[0.5], [-0.4]]), np.full((2, 1), 0.1))
    start = np.linspace(-2, 2, 5)[:, None]
    for sampler in (GDDIM(corrector="free"), SAMPLERS["f_pndm"], UniPC(), RhoRK(method="3kutta")):
        table = table_of(sampler, sde, 14)
        expected, _ = replay(table, data.eps, start)
        end = run(table, data.eps_fn(), tf.constant(start)).numpy()
        np.testing.assert_allclose(end, expected, rtol=1e-10)


def test_grids_of_one_sampler():
    sde = SDES["flow"]
    assert DDIM(grid=LogSNRGrid()).table(sde, 5).time[0] == 1.0
    listed = DDIM(grid=ListGrid([0.9, 0.5, 0.1])).table
    np.testing.assert_array_equal(listed(sde, 2).time, [0.9, 0.5])  # has a signal from the start
    rounded = ListGrid([1.0 + 1e-12, 0.5, 0.1])(sde, 2)
    np.testing.assert_array_equal(rounded, [1.0, 0.5, 0.1])
    for nfe in (1, 2, 7, 50):
        table = default(sde, nfe).table(sde, nfe)
        assert (table.nfe, table.time[0]) == (nfe, 1.0)
    with pytest.raises(ValueError, match="1 where RectifiedFlow has no signal"):
        Heun().table(sde, 7)


def test_a_discrete_flow_asks_at_its_levels():
    """FlowMatchEulerDiscreteScheduler: levels from 1 to 1 / 1000 and then the data."""
    sde = RectifiedFlow(t_min=0.0, t_earliest=1e-3)
    times = PowerGrid(1.0)(sde, 5)
    np.testing.assert_allclose(times, [*np.linspace(1.0, 1e-3, 5), 0.0])
