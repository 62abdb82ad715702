import dataclasses

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from gddim_tf.samplers import DDIM, GDDIM, Ancestral, DPMSolver, ListGrid, PowerGrid, UniPC, run
from gddim_tf.samplers.data_prediction import moments, polynomial_weights, positions
from gddim_tf.sdes import BDM, CLD, VPSDE, DiscreteVPSDE
from tests.samplers import problems
from tests.samplers.cases import SDES
from tests.samplers.peers import SCHEDULES, linspace, peers
from tests.samplers.replay import apply

# ---- against the references -------------------------------------------------------------------

# diffusers' DEIS is the polynomial in log rho; its DPM-Solver++ "heun" the one in lambda.
NOISE = {"prediction": "eps"}
EXACT = {"formula": "polynomial"}
RUNS = [
    ("df_dpmpp2M_zero_N{}", DPMSolver(), linspace(0.0)),
    ("df_dpmpp2M_sigma_min_N{}", DPMSolver(), linspace(1.0)),
    ("df_dpmpp2M_heun_N{}", DPMSolver(**EXACT), linspace(0.0)),
    ("df_dpmpp3M_zero_N{}", DPMSolver(order=3), linspace(0.0)),
    ("df_dpmpp3M_sigma_min_N{}", DPMSolver(order=3), linspace(1.0)),
    ("df_dpmsolver2M_sigma_min_N{}", DPMSolver(**NOISE), linspace(1.0)),
    ("df_deis1_N{}", DPMSolver(order=1, **NOISE, **EXACT), linspace(1.0)),
    ("df_deis2_N{}", DPMSolver(order=2, **NOISE, **EXACT), linspace(1.0)),
    ("df_deis3_N{}", DPMSolver(order=3, **NOISE, **EXACT), linspace(1.0)),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("template", "sampler", "times"), RUNS, ids=[run[0] for run in RUNS])
def test_reference_runs(schedule, template, sampler, times):
    peers(schedule).check(template, sampler, times)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [5, 10, 20, 50])
def test_reference_runs_on_karras_sigmas(schedule, steps):
    """The sigmas lie between training steps, and the network is told the nearest step."""
    reference, name = peers(schedule), f"df_dpmpp2M_karras_N{steps}"
    times = reference.sde.time_of_rho(reference.arrays[f"{name}__sigmas"])
    told = reference.arrays[f"{name}__timesteps"] + 1.0

    def evaluate(u, t):
        return reference.data.eps(u, told[np.abs(times[:-1] - t[0]).argmin()])

    def network(u, t):
        return tf.ensure_shape(tf.numpy_function(evaluate, [u, t], u.dtype), u.shape)

    end = reference.run(reference.table(DPMSolver(), times), network=network)
    reference.compare(name, end)


def test_deis_in_log_rho_is_dpm_solver_without_its_last_steps():
    sde, times = CLD(), PowerGrid(2.0)(CLD(), 20)
    deis = GDDIM(order=2, variable="log_rho").fill(sde, times)
    solver = DPMSolver(order=3, **NOISE, **EXACT).fill(sde, times)
    np.testing.assert_allclose(solver.state, deis.state)
    np.testing.assert_allclose(solver.prediction, deis.prediction, atol=1e-10)


# ---- the integrals ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("prediction", ["data", "eps"])
def test_first_order_is_ddim(name, prediction):
    sde = SDES[name]
    rng = np.random.default_rng(0)
    shape = (2, 4, 4, 1) if sde.mode_index is not None else (2, 3)
    u, eps = (rng.standard_normal((*shape[:-1], sde.components * shape[-1])) for _ in range(2))
    ends = [
        run(s.table(sde, 4), lambda u, t: tf.constant(eps), tf.constant(u)).numpy()
        for s in (DDIM(), DPMSolver(order=1, prediction=prediction))
    ]
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-9 * np.abs(ends[0]).max())


@hypothesis.settings(max_examples=20, deadline=None)
@hypothesis.given(start=st.floats(0.1, 1.0), share=st.floats(0.05, 0.9))
def test_moments_have_their_closed_form_on_one_component(start, share):
    sde, end = VPSDE(), start * share
    h = np.log(sde.rho(start) / sde.rho(end))
    p, w = np.polynomial.legendre.leggauss(40)
    p, w = (p + 1) / 2, w / 2
    signal = sde.transition(end, 0.0)[0, 0]
    for k, value in enumerate(moments(sde, start, end, 4, "data")):
        expected = signal * h * np.sum(w * np.exp(-h * (1 - p)) * p**k)
        np.testing.assert_allclose(value[0, 0], expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["vp", "discrete", "ve", "cld", "bdm"])
@pytest.mark.parametrize("prediction", ["data", "eps"])
def test_polynomials_in_lambda_are_integrated_exactly(name, prediction):
    """The derivative of `u = Psi(t, 0) D + R eps` for D (or eps) a polynomial, in many steps."""
    sde = SDES[name]
    start, end = 0.6 * sde.t_max, 0.3 * sde.t_max
    nodes = np.array([0.0, -0.7, -1.3])
    step = moments(sde, start, end, 3, prediction)
    weights = polynomial_weights(nodes, step)
    total = sum(w * (2 - p + 3 * p**2) for w, p in zip(weights, nodes, strict=True))

    cuts = sde.time_of_rho(np.geomspace(sde.rho(start), sde.rho(end), 4001))
    middle = positions(sde, start, end, np.sqrt(cuts[1:] * cuts[:-1]))
    if prediction == "eps":
        flow = sde.transition(np.full_like(cuts, end), cuts) @ sde.root(cuts)
    else:
        back = np.linalg.inv(sde.root(cuts)) @ sde.transition(cuts, np.zeros_like(cuts))
        flow = sde.root(end) @ back
    expected = np.tensordot(2 - middle + 3 * middle**2, np.diff(flow, axis=0), axes=(0, 0))
    np.testing.assert_allclose(total, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


def test_orders_of_a_run():
    def used(sampler, steps, end=1.0):
        sde = DiscreteVPSDE(np.linspace(1e-4, 0.02, 100))
        times = np.linspace(100, end, steps + 1)
        weights = sampler.fill(sde, times).prediction[..., 0, 0]
        return [int(np.flatnonzero(row)[-1]) + 1 for row in weights]

    third = DPMSolver(order=3)
    assert used(third, 1) == [1]
    assert used(third, 2) == [1, 1]
    assert used(third, 6) == [1, 2, 3, 3, 2, 1]
    assert used(third, 15) == [1, 2, *[3] * 13]
    assert used(third, 15, end=0.0) == [1, 2, *[3] * 12, 1]
    assert used(DPMSolver(), 6) == [1, 2, 2, 2, 2, 1]


# ---- convergence ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vp", "cld", "bdm", "ve"])
@pytest.mark.parametrize("options", [{}, EXACT, NOISE], ids=str)
def test_orders_of_convergence(name, options):
    for order, expected in ((1, 1), (2, 2), (3, 2)):
        sampler = DPMSolver(order=order, **options)
        measured = problems.measured_order(name, sampler, steps=(60, 120))
        assert measured > expected - (0.55 if order == 3 else 0.25)
        if order < 3:
            assert measured < expected + 0.25


@pytest.mark.parametrize("prediction", ["data", "eps"])
def test_only_the_polynomial_formula_makes_order_three(prediction):
    """With a fine beginning, whose lower order then does not matter."""
    problem, truth = problems.smooth("cld")
    sde = problem.sde

    def error(formula, steps):
        fine = sde.t_max - 1e-3 * np.arange(3)
        times = np.concatenate([fine[:2], np.linspace(fine[2], sde.t_min, steps - 1)])
        sampler = DPMSolver(order=3, prediction=prediction, formula=formula, grid=ListGrid(times))
        return np.abs(problem.sample(sampler, steps) - truth).max()

    def order(formula):
        return np.log2(error(formula, 80) / error(formula, 160))

    assert order("polynomial") > 2.7
    assert order("published") < 2.4


# ---- clipping ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vp", "discrete", "cld"])
@pytest.mark.parametrize("sampler", [DPMSolver(clip=0.5), DPMSolver(order=3, clip=0.5)], ids=str)
def test_clipped_samples_stay_within_the_bound(name, sampler):
    sde = SDES[name]
    u = np.random.default_rng(0).standard_normal((16, 3 * sde.components)) @ np.kron(
        sde.prior_scale(), np.eye(3)
    )

    def far(u, t):
        return -2.0 * tf.ones_like(u)

    def image(sampler):
        return run(sampler.table(sde, 30), far, tf.constant(u)).numpy()[:, :3]

    signal = sde.transition(sde.t_min, 0.0)[0, 0]
    noise = np.abs(sde.covariance(sde.t_min)[0, 0]) ** 0.5
    assert np.abs(image(sampler)).max() < 0.5 * signal + 20 * noise + 1e-9
    assert np.abs(image(dataclasses.replace(sampler, clip=None))).max() > 0.6


def test_a_bound_that_is_never_reached_changes_nothing():
    problem = problems.cld()
    plain, clipped = (problem.sample(DPMSolver(clip=clip), 20) for clip in (None, 1e3))
    np.testing.assert_allclose(clipped, plain, atol=1e-9)


def test_clean_velocities_are_zero_in_the_exact_data_prediction():
    problem = problems.cld()
    table = DPMSolver().table(problem.sde, 5)
    t, u = table.time[2], problem.data.sample_state(6, table.time[2])
    eps = problem.data.eps(u, t)
    data = apply(table.data_state[2], u, None) + apply(table.data_eps[2], eps, None)
    np.testing.assert_allclose(data[:, 2:], 0.0, atol=1e-10)
    assert np.abs(data[:, :2]).max() > 0.1


# ---- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": 4}, "`order` must be 1, 2 or 3, received 4"),
        ({"prediction": "v"}, '`prediction` must be "data" or "eps", received \'v\''),
        ({"formula": "heun"}, '`formula` must be "published" or "polynomial"'),
        ({"prediction": "eps", "clip": 1.0}, '`clip` must be None for `prediction` = "eps"'),
    ],
    ids=str,
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        DPMSolver(**arguments)


def test_what_clipping_needs():
    with pytest.raises(ValueError, match="`clip` must be positive, received -1"):
        DPMSolver(clip=-1.0)
    for sampler in (DDIM, UniPC, Ancestral):
        with pytest.raises(ValueError, match="`clip` must be positive, received 0"):
            sampler(clip=0)
    with pytest.raises(ValueError, match="`clip` must be None on BDM, whose states are not pixels"):
        DPMSolver(clip=1.0).table(BDM(4), 5)


def test_an_evaluation_without_noise_is_refused():
    sde = DiscreteVPSDE(np.linspace(1e-4, 0.02, 100))
    with pytest.raises(ValueError, match=r"DiscreteVPSDE has none at t = 0"):
        DPMSolver(grid=ListGrid([0.0, 50.0, 100.0])).table(sde, 2)
