import re

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from gddim_tf.samplers import GDDIM, PowerGrid, RhoGrid, run
from gddim_tf.sdes import VPSDE, DiscreteVPSDE
from tests.samplers import problems
from tests.samplers.cases import SDES
from tests.samplers.linear_data import dirac
from tests.samplers.replay import apply, replay

# ---- against the reference --------------------------------------------------------------------


def sampler_of(key):
    """The sampler and the budget of an array of the reference trajectories."""
    name, steps = re.fullmatch(r"(.*)_N(\d+)", key).groups()
    steps = int(steps)
    if "PECE" in name:
        order, corrector_order = map(int, re.search(r"q(\d)c(\d)", name).groups())
        return GDDIM(order=order, corrector="pece", corrector_order=corrector_order), 2 * steps - 1
    order = int(re.search(r"pred_q(\d)", name)[1])
    denoise, root = "denoised" in name, "L" if name.startswith("L") else "R"
    return GDDIM(order=order, denoise=denoise, root=root), steps + denoise


@pytest.mark.parametrize("key", [k for k in problems.golden("cldA_traj_exactcoef") if "_N" in k])
def test_cld_trajectories(key):
    sampler, nfe = sampler_of(key)
    expected = problems.packed(problems.golden("cldA_traj_exactcoef")[key])
    scale = max(1.0, np.abs(expected).max())
    end = problems.cld().sample(sampler, nfe)
    np.testing.assert_allclose(end, expected, atol=1e-8 * scale)


@pytest.mark.parametrize("key", [k for k in problems.golden("bdm_traj_exactcoef") if "_N" in k])
def test_bdm_trajectories(key):
    problem = problems.bdm()
    end = problem.sde.to_images(tf.constant(problem.sample(*sampler_of(key))))
    np.testing.assert_allclose(end, problems.golden("bdm_traj_exactcoef")[key], atol=1e-8)


# ---- exactness on a single data point ---------------------------------------------------------


EXPONENTIAL = [
    GDDIM(order=0),
    GDDIM(order=3, start="single_step"),
    GDDIM(corrector="pece"),
    GDDIM(corrector="free", corrector_order=3, variable="sqrt_t"),
]


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("sampler", EXPONENTIAL, ids=str)
@hypothesis.settings(max_examples=5, deadline=None)
@hypothesis.given(
    cut=st.lists(st.floats(0.05, 1.0), min_size=6, max_size=6, unique=True),
    seed=st.integers(0, 99),
)
def test_a_single_data_point_is_sampled_exactly_from_any_time(name, sampler, cut, seed):
    sde, cut = SDES[name], np.sort(cut)[::-1]
    hypothesis.assume(np.diff(cut).max() < -0.02)
    times = sde.t_min + (sde.t_max - sde.t_min) * cut
    shape = (2, 4, 4, 3) if sde.mode_index is not None else (2, 3)
    noise, state = dirac(sde, shape, seed)
    table = sampler.fill(sde, times)
    end, _ = replay(table, lambda u, t: noise, state(times[0]))
    scale = np.abs(apply(sde.transition(times[-1], times[0]), state(times[0]), sde.mode_index))
    np.testing.assert_allclose(end, state(times[-1]), atol=1e-9 * max(1.0, scale.max()))


# ---- order of convergence ---------------------------------------------------------------------

STARTED = [
    (GDDIM(order=order, start="single_step", variable=variable), order + 1)
    for order in (1, 2, 3, 4)
    for variable in (("t",) if order == 4 else ("t", "asinh_rho"))
]
CORRECTED = [
    (GDDIM(order=0, corrector="free"), 2),
    (GDDIM(order=2, corrector="free", start="single_step"), 3),
    (GDDIM(order=1, corrector="free", corrector_order=2, start="single_step"), 3),
    (GDDIM(order=2, corrector="free", corrector_order=3, start="single_step"), 4),
    (GDDIM(order=0, corrector="pece"), 2),
    (GDDIM(order=2, corrector="pece", start="single_step"), 3),
    (GDDIM(order=2, root="L", start="single_step"), 3),
]


@pytest.mark.parametrize("name", ["vp", "cld", "bdm", "ve"])
@pytest.mark.parametrize(("sampler", "order"), STARTED + CORRECTED, ids=str)
def test_order_with_a_single_step_start(name, sampler, order):
    measured = problems.measured_order(name, sampler, steps=(60, 120))
    assert order - 0.5 < measured < order + 1.1


def test_the_ramp_limits_the_order_to_two():
    assert problems.measured_order("bdm", GDDIM(order=0)) == pytest.approx(1, abs=0.1)
    for order in (1, 2, 3):
        measured = problems.measured_order("bdm", GDDIM(order=order), steps=(60, 120))
        assert measured == pytest.approx(2, abs=0.3)


def test_an_evaluation_that_is_used_twice_helps():
    truth = problems.golden("cldA_traj")["truth_u"][..., 0]

    def error(sampler):
        return np.sqrt(np.mean((problems.cld().sample(sampler, 50)[:, :2] - truth) ** 2))

    assert error(GDDIM(order=2, corrector="free")) < 0.5 * error(GDDIM(order=2))


# ---- encoding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", [problems.cld, problems.bdm, lambda: problems.scalar("vp")])
def test_encoding_and_decoding_return_to_the_start(problem):
    problem = problem()
    sampler = GDDIM(order=3, start="single_step", grid=PowerGrid(3.0))
    clean = problem.sample(GDDIM(order=3), 40)
    code = run(sampler.encode(problem.sde, 206), problem.network, tf.constant(clean))
    assert np.abs(code - clean).max() > 0.5
    back = run(sampler.table(problem.sde, 206), problem.network, code)
    np.testing.assert_allclose(back, clean, atol=2e-3)


# ---- budgets and errors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sampler", "nfe", "steps"),
    [
        (GDDIM(order=3), 10, 10),
        (GDDIM(denoise=True), 10, 9),
        (GDDIM(corrector="pece"), 27, 14),
        (GDDIM(corrector="free"), 10, 10),
        (GDDIM(order=2, start="single_step"), 12, 10),
        (GDDIM(order=3, start="single_step"), 16, 10),
        (GDDIM(order=4, start="single_step"), 22, 10),
        (GDDIM(order=3, start="single_step"), 3, 1),
        (GDDIM(order=2, start="single_step", corrector="pece"), 4 + 15, 10),
        (GDDIM(order=0, corrector="pece", denoise=True), 20, 10),
    ],
    ids=str,
)
def test_evaluations_are_counted(sampler, nfe, steps):
    assert sampler.steps_of(nfe) == steps
    assert sampler.cost(steps) == nfe
    assert sampler.table(VPSDE(), nfe).nfe == nfe


def test_impossible_budgets_name_the_nearest():
    with pytest.raises(ValueError, match=r"`nfe` must be 9 or 11 for GDDIM\(.*received 10"):
        GDDIM(corrector="pece").table(VPSDE(), 10)
    with pytest.raises(ValueError, match=r"`nfe` must be at least 3 for .*received 2"):
        GDDIM(order=3, start="single_step").table(VPSDE(), 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": -1}, "`order` must be a whole number of at least 0, received -1"),
        ({"order": 9}, "`order` must be at most 4, received 9"),
        ({"order": 1.5}, "`order` must be a whole number of at least 0, received 1.5"),
        ({"corrector": "am"}, "`corrector` must be one of .*received 'am'"),
        ({"corrector_order": 0}, "`corrector_order` must be a whole number .* received 0"),
        ({"variable": "u"}, "`variable` must be one of"),
        ({"root": "K"}, "`root` must be one of"),
        ({"start": "rk"}, "`start` must be one of"),
        ({"start": "single_step", "order": 5}, "needs orders of at most 4, received 5"),
    ],
    ids=str,
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        GDDIM(**arguments)


def test_denoising_needs_noise():
    with pytest.raises(ValueError, match="`denoise` needs a grid that ends above t = 0"):
        GDDIM(denoise=True).table(DiscreteVPSDE(np.linspace(1e-4, 0.02, 100)), 5)
    with pytest.raises(ValueError, match="cannot be inverted here: `denoise` needs a grid"):
        GDDIM(denoise=True).encode(VPSDE(), 5)


def test_the_last_denoising_step_corrects_the_one_before_it():
    plain, free = (GDDIM(corrector=kind, denoise=True, grid=RhoGrid()) for kind in ("none", "free"))
    truth = problems.scalar("vp").sample(GDDIM(order=3, denoise=True, grid=RhoGrid()), 201)
    errors = [np.abs(problems.scalar("vp").sample(s, 41) - truth).max() for s in (plain, free)]
    assert errors[1] < 0.7 * errors[0]
