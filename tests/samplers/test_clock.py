"""Where a discrete schedule is asked: at labels 0 to T - 1 (times 1 to T), and nowhere else."""

import dataclasses
import itertools
import re

import numpy as np
import pytest

from gddim_tf.samplers import (
    DDIM,
    GDDIM,
    SSCS,
    ListGrid,
    LogSNRGrid,
    PowerGrid,
    RhoGrid,
    RhoRK,
    SubsequenceGrid,
    VPTimeGrid,
    default,
)
from gddim_tf.sdes import VPSDE, DiscreteVPSDE
from tests.samplers.cases import IMPOSSIBLE, SAMPLERS, budget
from tests.samplers.replay import replay

SCHEDULES = {
    steps: DiscreteVPSDE(np.linspace(0.1 / steps, 20 / steps, steps)) for steps in (50, 1000)
}
SPACED = [
    PowerGrid(1.0),
    PowerGrid(2.0),
    PowerGrid(7.0),
    RhoGrid(7.0),
    LogSNRGrid(),
    VPTimeGrid(),
    VPTimeGrid(2.25, 2.0),
]
GRIDS = [*SPACED, *map(SubsequenceGrid, ("uniform", "trailing", "quadratic"))]
# The method has no such budget, or the schedule has too few labels for its steps.
REFUSED = (
    "`nfe` must be|needs a discrete schedule of|at least 4 steps|a step with . evaluations|"
    "must have at least 2 steps"
)
METHODS = [name for name in SAMPLERS if ("discrete", name) not in IMPOSSIBLE]

every_schedule = pytest.mark.parametrize("steps", SCHEDULES)


@every_schedule
@pytest.mark.parametrize("grid", SPACED, ids=repr)
def test_the_last_evaluation_is_at_the_first_label_and_one_step_leads_to_the_data(grid, steps):
    sde = SCHEDULES[steps]
    np.testing.assert_array_equal(grid(sde, 1), [steps, 0.0])
    for count in range(2, 1001):
        times = grid(sde, count)
        assert len(times) == count + 1
        assert (times[0], times[-2], times[-1]) == (steps, 1.0, 0.0)


@every_schedule
@pytest.mark.parametrize("kind", ["uniform", "trailing", "linspace", "quadratic"])
def test_sub_sequences_of_every_length_keep_to_the_labels(kind, steps):
    sde = SCHEDULES[steps]
    for count in range(1, steps + 1):
        times = SubsequenceGrid(kind)(sde, count)
        assert times[-1] == 0.0 and times[0] <= steps
        np.testing.assert_array_equal(times[:-1], np.maximum(np.round(times[:-1]), 1.0))


@every_schedule
@pytest.mark.parametrize("name", METHODS)
def test_no_sampler_asks_outside_the_labels(name, steps):
    sde = SCHEDULES[steps]
    grids = itertools.cycle(GRIDS)
    for least in (1, 2, 3, 4, 5, 7, 10, 11, 13, 14, 16, 19, 25, 31, 40, 50, 120):
        grid = next(grids)
        if isinstance(grid, SubsequenceGrid) and least > steps:
            continue
        method = dataclasses.replace(SAMPLERS[name], grid=grid)
        try:
            table = method.table(sde, budget(method, least))
        except ValueError as error:
            # equal indices left out, or last stages with no label between them and the data
            assert "at least 4 steps" in str(error) or name in ("gddim_start", "deis_rho_rk")
            assert isinstance(grid, SubsequenceGrid)
            continue
        assert table.time.min() >= 1.0 and table.time.max() <= steps
        if name not in ("gddim_start", "deis_rho_rk") and table.nfe > 1:
            assert table.time[-1] == 1.0 or grid == SubsequenceGrid("trailing")


@pytest.mark.slow
@every_schedule
@pytest.mark.parametrize("name", METHODS)
def test_no_budget_asks_outside_the_labels(name, steps):
    """Every small budget that the sampler can spend and some up to 1000, the grids by turns."""
    sde, grids, found = SCHEDULES[steps], itertools.cycle(GRIDS), 0
    for nfe in (*range(1, 61), *range(61, 1001, 47), 999, 1000):
        method = dataclasses.replace(SAMPLERS[name], grid=next(grids))
        try:
            table = method.table(sde, nfe)
        except ValueError as error:
            assert re.search(REFUSED, str(error)), error
            continue
        found += 1
        assert table.time.min() >= 1.0 and table.time.max() <= steps
    assert found > 10  # Runge-Kutta methods of four stages have every fourth


@every_schedule
@pytest.mark.parametrize("nfe", [1, 2, 3, 5, 6, 10, 12, 13, 50, 1000])
def test_the_default_asks_at_the_first_label_last(nfe, steps):
    sde = SCHEDULES[steps]
    table = default(sde, nfe).table(sde, nfe)
    assert table.nfe == nfe
    assert table.time.min() == table.time[-1] == (1.0 if nfe > 1 else steps)
    code = default(sde, nfe).encode(sde, nfe)
    assert code.nfe == nfe
    assert code.time[0] == code.time.min() == 1.0 and code.time.max() <= steps


def test_a_schedule_that_ends_later_is_spaced_to_its_end():
    sde = DiscreteVPSDE(np.linspace(1e-4, 0.02, 100), t_min=7.0)
    times = PowerGrid()(sde, 5)
    np.testing.assert_allclose(times, (10 + np.arange(6) / 5 * (7**0.5 - 10)) ** 2)
    half = DiscreteVPSDE(np.linspace(1e-4, 0.02, 100), t_min=0.5)
    np.testing.assert_array_equal(PowerGrid()(half, 5)[-2:], [1.0, 0.5])


def test_a_diffusion_in_continuous_time_is_spaced_to_its_end():
    np.testing.assert_allclose(PowerGrid(1.0)(VPSDE(t_min=0.0), 4), [1.0, 0.75, 0.5, 0.25, 0.0])


def test_a_list_or_a_stage_between_the_first_label_and_the_data_is_refused():
    sde = SCHEDULES[1000]
    with pytest.raises(ValueError, match="must not ask the network before t = 1, its first label"):
        DDIM(grid=ListGrid([1000.0, 0.5, 0.0])).table(sde, 2)
    with pytest.raises(ValueError, match="a step with 3 evaluations must start before the first"):
        RhoRK(method="3ralston", grid=SubsequenceGrid()).table(sde, 30)


def test_the_last_step_of_a_splitting_takes_its_score_at_the_first_label():
    times = SSCS(grid=ListGrid([1000.0, 9.0, 3.0, 0.0])).table(SCHEDULES[1000], 3).time
    np.testing.assert_array_equal(times, [504.5, 6.0, 1.5])
    times = SSCS(grid=ListGrid([1000.0, 9.0, 1.0, 0.0])).table(SCHEDULES[1000], 3).time
    np.testing.assert_array_equal(times, [504.5, 5.0, 1.0])


def test_stages_that_end_at_the_first_label_are_of_their_order():
    """eps that is linear in rho is integrated exactly from stages that stop before the data."""
    sde = SCHEDULES[50]
    table = RhoRK(method="3ralston").table(sde, 12)
    assert table.time.min() > 1.0
    end, _ = replay(table, lambda u, t: 0 * u + 2.0 + 3.0 * sde.rho(t), np.zeros((1, 1)))
    last = sde.rho(sde.t_max)
    np.testing.assert_allclose(end, -2.0 * last - 1.5 * last**2, rtol=1e-12)


@pytest.mark.parametrize("steps", [50, 100, 1000])
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_the_quadratic_sub_sequence_is_that_of_ddim_with_its_repeated_indices(steps, eta):
    """Against the loop of the paper, in which a step from an index to itself is the identity."""
    sde = SCHEDULES[1000]
    indices = [int(s) for s in np.linspace(0, np.sqrt(0.8 * 1000), steps) ** 2]
    assert len(set(indices)) < steps
    alpha = np.concatenate([[1.0], np.cumprod(1 - sde.betas)])
    rng = np.random.default_rng(0)
    start = x = rng.standard_normal((4, 2))
    draws = []

    def eps(x, t):
        return np.tanh(x) * sde.root(t).squeeze() + 0.1 * x

    for i, j in zip(indices[::-1], [*indices[-2::-1], -1], strict=True):
        a, b = alpha[i + 1], alpha[j + 1]
        noise = rng.standard_normal(x.shape)
        predicted = (x - np.sqrt(1 - a) * eps(x, i + 1.0)) / np.sqrt(a)
        spent = eta * np.sqrt((1 - a / b) * (1 - b) / (1 - a))
        direction = np.sqrt(1 - b - spent**2) * eps(x, i + 1.0)
        x = np.sqrt(b) * predicted + spent * noise + direction
        if i != j:
            draws.append(noise)
    table = DDIM(eta=eta, grid=SubsequenceGrid("quadratic")).table(sde, steps)
    assert table.nfe == len(set(indices))
    end, _ = replay(table, eps, start, draws)
    np.testing.assert_allclose(end, x, rtol=1e-9, atol=1e-12)


def test_every_sampler_takes_the_shorter_grid():
    sde = SCHEDULES[1000]
    times = SubsequenceGrid("quadratic")(sde, 100)
    assert len(times) < 101
    table = GDDIM(order=3, grid=SubsequenceGrid("quadratic")).table(sde, 100)
    np.testing.assert_array_equal(table.time, times[:-1])
