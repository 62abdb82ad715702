import re

import numpy as np
import pytest

from gddim_tf.samplers import (
    DDIM,
    FON,
    FPNDM,
    GDDIM,
    IPNDM,
    PLMS,
    SPNDM,
    PowerGrid,
    SubsequenceGrid,
)
from gddim_tf.sdes import CLD, VPSDE
from tests.samplers import problems
from tests.samplers.cases import SDES
from tests.samplers.peers import SCHEDULES, leading, peers, trailing

# ---- against the references -------------------------------------------------------------------

# F-PNDM's runs end at the data (luping with a table that begins with 1; one1), or at index 0 (one0,
# diffusers' default). All strides here are even, so the Runge-Kutta midpoints are whole indices.
RUNS = [
    ("luping_DDIM_N{}_aligned", DDIM(), leading(0.0)),
    ("luping_S-PNDM_N{}_aligned", SPNDM(), leading(0.0)),
    ("luping_F-PNDM_N{}_aligned", FPNDM(), leading(0.0)),
    ("luping_FON_N{}_aligned", FON(), leading(0.0)),
    ("df_pndm_skipprk0_one1_off0_leading_N{}", FPNDM(), leading(0.0)),
    ("df_pndm_skipprk0_one0_off0_leading_N{}", FPNDM(), leading(1.0)),
    ("df_pndm_skipprk0_one0_off1_leading_N{}", FPNDM(), leading(1.0, offset=1)),
    ("df_pndm_skipprk0_one0_off0_trailing_N{}", FPNDM(), trailing(1.0)),
    ("df_pndm_skipprk1_one1_off0_leading_N{}", PLMS(), leading(0.0)),
    ("df_pndm_skipprk1_one0_off0_leading_N{}", PLMS(), leading(1.0)),
    ("df_pndm_skipprk1_one0_off1_leading_N{}", PLMS(), leading(1.0, offset=1)),
    ("df_pndm_skipprk1_one0_off0_trailing_N{}", PLMS(), trailing(1.0)),
    ("df_ipndm_ddpm_N{}", IPNDM(), leading(0.0)),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("template", "sampler", "times"), RUNS, ids=[run[0] for run in RUNS])
def test_reference_runs(schedule, template, sampler, times):
    if (schedule, sampler) == ("cosine", FPNDM()) and "trailing" in template:
        pytest.skip("the reference blows up from the capped last beta at every budget")
    peers(schedule).check(template, sampler, times)


def test_ipndm_trajectory_of_deis():
    z, problem = problems.golden("deis_vp_traj"), problems.scalar("vp")
    for key in (key for key in z if key.startswith("ipndm_N")):
        end = problem.sample(IPNDM(), int(key.removeprefix("ipndm_N")))
        np.testing.assert_allclose(end, z[key], atol=1e-8)


@pytest.mark.parametrize("steps", [7, 10])
def test_a_late_order_is_that_of_the_second_half(steps):
    high, low, mixed = (
        sampler.table(CLD(), steps).prediction
        for sampler in (IPNDM(), IPNDM(order=3), IPNDM(late_order=3))
    )
    half = -(-steps // 2)
    np.testing.assert_array_equal(mixed[:half], high[:half])
    np.testing.assert_array_equal(mixed[half:, :3], low[half:])
    assert not np.any(mixed[half:, 3])
    lower = IPNDM(order=2, late_order=3).table(CLD(), steps).prediction
    np.testing.assert_array_equal(lower, IPNDM(order=2).table(CLD(), steps).prediction)


def test_subsequence_grid_is_the_published_default():
    reference = peers("linear")
    for name, sampler, nfe in (
        ("luping_F-PNDM_N20_aligned", FPNDM(grid=SubsequenceGrid()), 29),
        ("luping_S-PNDM_N20_aligned", SPNDM(grid=SubsequenceGrid()), 21),
    ):
        reference.compare(name, reference.run(sampler.table(reference.sde, nfe)))


# ---- relations --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SDES)
def test_first_order_is_ddim(name):
    grid = PowerGrid(1.0)
    ipndm, ddim = (s.table(SDES[name], 6) for s in (IPNDM(order=1), DDIM(grid=grid)))
    np.testing.assert_allclose(ipndm.state, ddim.state)
    np.testing.assert_allclose(ipndm.prediction, ddim.prediction, atol=1e-14)


def test_weights_of_a_step_sum_to_the_transfer():
    sde = CLD()
    times = PowerGrid(1.0)(sde, 6)
    transfer = GDDIM(order=0).fill(sde, times).prediction[:, 0]
    for sampler, rows in ((IPNDM(), range(6)), (PLMS(), [0, *range(2, 7)])):
        table = sampler.fill(sde, times)
        np.testing.assert_allclose(table.prediction[list(rows)].sum(1), transfer, atol=1e-13)


def test_the_warm_up_keeps_only_the_first_output_of_a_step():
    table = FPNDM().table(VPSDE(), 14)
    assert table.keep.tolist() == [True, False, False, False] * 3 + [True] * 2
    assert table.commit.tolist() == [False, False, False, True] * 3 + [True] * 2
    middle = 0.5 * (table.time[0] + table.time[3])
    np.testing.assert_allclose(table.time[:4], [1.0, middle, middle, table.time[4]])


# ---- convergence ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vp", "cld", "bdm"])
@pytest.mark.parametrize("sampler", [SPNDM(), PLMS(), FPNDM(), IPNDM(order=2)], ids=str)
def test_pseudo_multistep_methods_are_of_order_two(name, sampler):
    assert problems.measured_order(name, sampler, steps=(60, 120)) == pytest.approx(2, abs=0.25)


@pytest.mark.parametrize(("sampler", "order"), [(FPNDM(), 4), (FON(), 4), (SPNDM(), 2)], ids=str)
def test_order_where_the_transfer_is_uniform_in_time(sampler, order):
    # On VESDE.karras the transfer is linear in t, and pseudo methods are the classical ones.
    assert problems.measured_order("ve", sampler, steps=(60, 120)) == pytest.approx(order, abs=0.6)


def test_fon_converges_to_the_error_of_its_difference():
    problem, truth = problems.smooth("vp")
    few, many = (np.abs(problem.sample(FON(), nfe) - truth).max() for nfe in (59, 209))
    assert 5e-4 < many < 2e-3
    assert few == pytest.approx(many, rel=0.05)


# ---- budgets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sampler", "name", "least", "extra"),
    [
        (FPNDM(), "F-PNDM", 13, 9),
        (FON(), "FON", 13, 9),
        (PLMS(), "PLMS", 3, 1),
        (SPNDM(), "S-PNDM", 3, 1),
    ],
    ids=str,
)
def test_budgets(sampler, name, least, extra):
    for nfe in (least, least + 7):
        assert sampler.table(VPSDE(), nfe).nfe == nfe
        assert sampler.steps_of(nfe) == nfe - extra
    message = f"`nfe` must be at least {least} for {name}, received {least - 1}"
    with pytest.raises(ValueError, match=re.escape(message)):
        sampler.table(VPSDE(), least - 1)


@pytest.mark.parametrize("sampler", [FPNDM, FON])
def test_a_short_list_of_times_is_refused(sampler):
    with pytest.raises(ValueError, match=r"must have at least 4 steps, received 3"):
        sampler().fill(VPSDE(), np.array([1.0, 0.7, 0.4, 0.1]))


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="`order` must be 1, 2, 3 or 4, received 5"):
        IPNDM(order=5)
    with pytest.raises(ValueError, match="`late_order` must be 1, 2, 3 or 4, received 0"):
        IPNDM(late_order=0)
    with pytest.raises(ValueError, match="`order` must be 2, 3 or 4, received 1"):
        PLMS(order=1)
    for sampler in (IPNDM, PLMS):
        with pytest.raises(ValueError, match=r"received 2\.0"):
            sampler(order=2.0)
