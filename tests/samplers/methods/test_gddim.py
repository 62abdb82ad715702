import re

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from gddim_tf.numerics.linalg import transpose
from gddim_tf.samplers import DDIM, GDDIM, ListGrid, PowerGrid, RhoGrid, run
from gddim_tf.sdes import CLD, VPSDE, DiscreteVPSDE
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


@pytest.mark.parametrize("lam", ["0", "0.1", "0.3", "0.5", "0.7", "1"])
def test_stochastic_steps_equal_the_reference(lam):
    z = problems.golden("cldA_lambda")
    sampler = GDDIM(order=0, lam=float(lam), grid=ListGrid(z["ts"]))
    table = sampler.table(CLD(), len(z["ts"]) - 1)
    np.testing.assert_allclose(table.prediction[:, 0], z[f"lam{lam}_eps_exact"], atol=1e-9)
    expected = z[f"lam{lam}_cov_exact"]
    if lam == "0":
        assert table.noise is None
    else:
        np.testing.assert_allclose(table.noise @ transpose(table.noise), expected, atol=1e-9)


def test_stochastic_trajectory_with_given_noise():
    z, problem = problems.golden("cldA_traj"), problems.cld()
    sampler = GDDIM(order=0, lam=float(z["stoch_lambda"]), grid=ListGrid(z["stoch_ts"]))
    noise = problems.packed(z["stoch_noise"])
    noise[-1] = 0.0  # the reference draws none on the last step
    table = sampler.table(problem.sde, len(noise))
    end = run(table, problem.network, tf.constant(problem.u_T), noise=noise)
    np.testing.assert_allclose(end, problems.packed(z["stoch_u"]), atol=1e-6)


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


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("lam", [0.1, 0.5, 1.0])
def test_stochastic_steps_keep_the_marginal_of_a_single_data_point(name, lam):
    # eps = R^{-1} (u - Psi u_0) is linear in u, so mean and covariance follow exactly.
    sde = SDES[name]
    table = GDDIM(order=0, lam=lam).table(sde, 6)
    times = PowerGrid(2.0)(sde, 6)
    root = sde.root(times[:-1])
    pull = table.prediction[:, 0] @ np.linalg.inv(root)
    step = table.state + pull
    carried = step @ sde.covariance(times[:-1]) @ transpose(step)
    spread = carried + table.noise @ transpose(table.noise)
    expected = sde.covariance(times[1:])
    np.testing.assert_allclose(spread, expected, atol=1e-9 * np.abs(expected).max())
    signal = sde.transition(times[:-1], np.zeros(6))
    mean = step @ signal - pull @ signal
    np.testing.assert_allclose(mean, sde.transition(times[1:], np.zeros(6)), rtol=1e-8, atol=1e-9)


def test_stochastic_ends():
    sde = VPSDE()
    ancestral, ddpm = (s.table(sde, 7) for s in (GDDIM(order=0, lam=1.0), DDIM(eta=1.0)))
    np.testing.assert_allclose(ancestral.prediction, ddpm.prediction, atol=1e-12)
    np.testing.assert_allclose(ancestral.noise, ddpm.noise, atol=1e-12)
    for other in (CLD(), sde):
        quiet, silent = (s.table(other, 7) for s in (GDDIM(order=0, lam=1e-7), GDDIM(order=0)))
        np.testing.assert_allclose(quiet.prediction, silent.prediction, atol=1e-9)
        assert np.abs(quiet.noise).max() < 1e-6


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
        ({"order": 1.5}, "`order` must be a whole number of at least 0, received 1.5"),
        ({"corrector": "am"}, "`corrector` must be one of .*received 'am'"),
        ({"corrector_order": 0}, "`corrector_order` must be a whole number .* received 0"),
        ({"lam": 1.5, "order": 0}, r"`lam` must be in \[0, 1\], received 1.5"),
        ({"lam": 0.5}, "`lam` > 0 goes with .*received order 2"),
        ({"lam": 0.5, "order": 0, "corrector": "free"}, "`lam` > 0 goes with"),
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
