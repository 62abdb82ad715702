import numpy as np
import pytest

from gddim_tf.samplers import DPMSolver, ListGrid, UniPC
from gddim_tf.sdes import VPSDE, DiscreteVPSDE, NumericalSDE
from tests.samplers import problems
from tests.samplers.cases import SDES
from tests.samplers.linear_data import single_point
from tests.samplers.peers import SCHEDULES, linspace, peers
from tests.samplers.replay import apply, replay

RUNS = [
    ("df_unipc2_bh2_N{}", UniPC(), linspace(0.0)),
    ("df_unipc3_bh2_N{}", UniPC(order=3), linspace(0.0)),
    ("df_unipc2_bh1_sigma_min_N{}", UniPC(variant="bh1"), linspace(1.0)),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("template", "sampler", "times"), RUNS, ids=[run[0] for run in RUNS])
def test_reference_runs(schedule, template, sampler, times):
    peers(schedule).check(template, sampler, times)


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("sampler", [UniPC(order=1), UniPC(variant="bh1"), UniPC(order=3)], ids=str)
def test_a_single_data_point_is_reached_exactly(name, sampler):
    """The predicted data are then constant, and every weight of a difference is idle."""
    sde = SDES[name]
    eps, clean = single_point(sde)
    times = sampler.grid(sde, 6)
    u = np.random.default_rng(1).standard_normal(clean.shape)
    end, _ = replay(sampler.fill(sde, times), eps, u)
    noise = apply(np.linalg.inv(sde.root(times[0])), u, sde.mode_index) - apply(
        np.linalg.solve(sde.root(times[0]), sde.transition(times[0], 0.0)), clean, sde.mode_index
    )
    expected = apply(sde.transition(times[-1], 0.0), clean, sde.mode_index) + apply(
        sde.root(times[-1]), noise, sde.mode_index
    )
    np.testing.assert_allclose(end, expected, atol=1e-8 * max(1, np.abs(expected).max()))


def test_the_last_step_is_predicted_only():
    table = UniPC(order=2).table(VPSDE(), 6)
    np.testing.assert_array_equal(table.corrected_state[-1], table.state[-1])
    np.testing.assert_array_equal(table.corrected_prediction[-1], table.prediction[-1])
    np.testing.assert_array_equal(table.corrected_state[0], np.eye(1))
    np.testing.assert_array_equal(table.corrected_prediction[0], 0.0)


@pytest.mark.parametrize("variant", ["bh1", "bh2"])
def test_one_step_is_ddim(variant):
    for sde in (VPSDE(), DiscreteVPSDE(np.linspace(1e-4, 0.02, 50))):
        table, first = (s.table(sde, 1) for s in (UniPC(variant=variant), DPMSolver(order=1)))
        assert table.corrected_state is None
        np.testing.assert_allclose(table.state, first.state)
        np.testing.assert_allclose(table.prediction, first.prediction)


@pytest.mark.parametrize("name", ["vp", "cld", "bdm", "ve"])
@pytest.mark.parametrize("variant", ["bh1", "bh2"])
def test_a_corrector_raises_the_order_of_ddim(name, variant):
    sampler = UniPC(order=1, variant=variant)
    assert problems.measured_order(name, sampler, steps=(60, 120)) == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("name", ["vp", "cld", "bdm", "ve"])
@pytest.mark.parametrize("order", [2, 3])
def test_first_and_last_steps_limit_the_order_to_two(name, order):
    measured = problems.measured_order(name, UniPC(order=order), steps=(60, 120))
    assert measured == pytest.approx(2, abs=0.3)


def test_order_three_with_fine_steps_at_both_ends():
    problem, truth = problems.smooth("cld")
    sde = problem.sde

    def error(steps):
        start = sde.t_max - 1e-4 * np.arange(4)
        end = sde.t_min + 1e-4 * np.arange(3)[::-1]
        times = np.concatenate([start[:3], np.linspace(start[3], end[0], steps - 4), end[1:]])
        sampler = UniPC(order=2, grid=ListGrid(times))
        return np.abs(problem.sample(sampler, steps) - truth).max()

    assert np.log2(error(60) / error(120)) > 2.6


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="`order` must be 1, 2 or 3, received 0"):
        UniPC(order=0)
    with pytest.raises(ValueError, match='`variant` must be "bh1" or "bh2", received \'bh3\''):
        UniPC(variant="bh3")
    with pytest.raises(ValueError, match=r"`order` must be 1, 2 or 3, received 2.0"):
        UniPC(order=2.0)


@pytest.mark.parametrize("sampler", [UniPC(order=2), UniPC(order=3), DPMSolver(order=3)], ids=str)
def test_a_diffusion_that_leaves_no_signal_is_refused(sampler):
    sde = NumericalSDE(drift=-1e3, diffusion=np.sqrt(2e3), initial_covariance=0.0)
    with pytest.raises(ValueError, match="needs some signal where it starts, and NumericalSDE has"):
        sampler.table(sde, 10)
