import re

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from gddim_tf.samplers import DDIM, Euler, Heun, ListGrid, RhoGrid, RhoRK, run
from gddim_tf.samplers.methods.runge_kutta import TABLEAUX
from gddim_tf.sdes import CLD, VESDE, VPSDE, DiscreteVPSDE
from tests.samplers import problems
from tests.samplers.cases import SDES
from tests.samplers.linear_data import dirac
from tests.samplers.replay import replay

METHODS = sorted(TABLEAUX)


@pytest.mark.parametrize("method", METHODS)
def test_tableaux_satisfy_the_order_conditions(method):
    tableau, order = TABLEAUX[method], int(method[0])
    b, c = np.array(tableau.b), tableau.c
    a = np.zeros((len(b), len(b)))
    for i, row in enumerate(tableau.a):
        a[i + 1, : len(row)] = row
    conditions = {
        1: [(b.sum(), 1)],
        2: [(b @ c, 1 / 2)],
        3: [(b @ c**2, 1 / 3), (b @ a @ c, 1 / 6)],
        4: [
            (b @ c**3, 1 / 4),
            (b @ (c * (a @ c)), 1 / 8),
            (b @ a @ c**2, 1 / 12),
            (b @ a @ a @ c, 1 / 24),
        ],
    }
    for degree in range(1, order + 1):
        for value, expected in conditions[degree]:
            assert value == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("name", ["vp", "cld", "bdm", "ve"])
@pytest.mark.parametrize("method", METHODS)
def test_order_on_every_diffusion(name, method):
    measured = problems.measured_order(name, RhoRK(method=method), steps=(40, 80))
    assert int(method[0]) - 0.3 < measured < int(method[0]) + 0.5


@pytest.mark.parametrize("name", ["vp", "cld", "bdm", "ve"])
def test_orders_of_the_plain_methods(name):
    assert problems.measured_order(name, Euler(), steps=(80, 160)) == pytest.approx(1, abs=0.2)
    assert problems.measured_order(name, Heun(), steps=(80, 160)) == pytest.approx(2, abs=0.25)


def test_stages_may_be_placed_in_another_variable():
    for name in ("vp", "cld"):
        sampler = RhoRK(method="4rk", variable="t")
        assert problems.measured_order(name, sampler) == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("method", ["2heun", "3ralston", "4rk"])
@hypothesis.settings(max_examples=5, deadline=None)
@hypothesis.given(cut=st.lists(st.floats(0.05, 1.0), min_size=3, max_size=3, unique=True))
def test_a_single_data_point_is_sampled_exactly(name, method, cut):
    sde, cut = SDES[name], np.sort(cut)[::-1]
    hypothesis.assume(np.diff(cut).max() < -0.02)
    times = sde.t_min + (sde.t_max - sde.t_min) * cut
    shape = (2, 4, 4, 3) if sde.mode_index is not None else (2, 3)
    noise, state = dirac(sde, shape)
    end, _ = replay(RhoRK(method=method).fill(sde, times), lambda u, t: noise, state(times[0]))
    scale = np.abs(sde.transition(times[-1], times[0])).max()
    np.testing.assert_allclose(end, state(times[-1]), atol=1e-9 * max(1.0, scale))


def test_first_order_is_ddim():
    for sde in SDES.values():
        for sampler in (RhoRK(method="1euler"), Euler(flow="rho")):
            table, expected = sampler.table(sde, 5), DDIM().table(sde, 5)
            np.testing.assert_allclose(table.state, expected.state, atol=1e-12)
            scale = np.abs(expected.prediction).max()
            np.testing.assert_allclose(table.prediction, expected.prediction, atol=1e-10 * scale)


# ---- Euler and Heun against published programs ------------------------------------------------

DIFFUSERS = sorted(
    key.removesuffix("__x_final")
    for key in problems.golden("diffusers_euler_heun")
    if key.endswith("__x_final")
)


@pytest.mark.parametrize("key", DIFFUSERS)
def test_diffusers_euler_and_heun(key):
    z, problem = problems.golden("diffusers_euler_heun"), problems.discrete()
    times = np.append(np.unique(z[f"{key}__timesteps"])[::-1] + 1, 0.0)
    sampler = (Heun if "heun" in key else Euler)(flow="rho", grid=ListGrid(times))
    table = sampler.table(problem.sde, len(z[f"{key}__timesteps"]))
    np.testing.assert_allclose(table.time - 1, z[f"{key}__timesteps"], atol=1e-9)
    end = run(table, problem.network, tf.constant(problem.u_T))
    scale = max(1.0, np.abs(z[f"{key}__x_final"]).max())
    np.testing.assert_allclose(end, z[f"{key}__x_final"], atol=1e-9 * scale)


@pytest.mark.parametrize("steps", [10, 20])
def test_published_euler_on_cld(steps):
    # Its coefficients come from a root that was itself integrated to 6e-7.
    z = problems.golden("cldA_coeffs")
    table = Euler().table(CLD(), steps)
    np.testing.assert_allclose(table.state, z[f"N{steps}p2_euler_psi"], atol=1e-12)
    expected = z[f"N{steps}p2_euler_eps"]
    np.testing.assert_allclose(table.prediction[:, 0], expected, atol=1e-5)
    end = problems.packed(problems.golden("cldA_traj")[f"em_lam0_N{steps}"])
    np.testing.assert_allclose(problems.cld().sample(Euler(), steps), end, atol=1e-3)


def test_edm_heun():
    """Karras et al. (2022), algorithm 1, written out for a denoiser."""
    problem = problems.scalar("ve")
    sde = VESDE.karras(0.02, 20.0)
    data = problems.Mixture(sde, problem.data.weights, problem.data.means, problem.data.covariances)
    ends = np.array([20.0, 0.02]) ** (1 / 7)
    sigmas = (ends[0] + np.arange(10) / 9 * (ends[1] - ends[0])) ** 7
    x = start = 20.0 * np.random.default_rng(0).standard_normal((4, 2))
    for i in range(9):
        slope = data.eps(x, sigmas[i])
        guess = x + (sigmas[i + 1] - sigmas[i]) * slope
        if i < 8:
            slope = 0.5 * (slope + data.eps(guess, sigmas[i + 1]))
        x = x + (sigmas[i + 1] - sigmas[i]) * slope
    table = Heun(flow="rho", grid=RhoGrid(7.0)).table(sde, 17)
    np.testing.assert_allclose(replay(table, data.eps, start)[0], x, atol=1e-10)


# ---- budgets and errors -----------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_budgets(method):
    stages = TABLEAUX[method].stages
    assert RhoRK(method=method).table(VPSDE(), 5 * stages).nfe == 5 * stages
    assert RhoRK(method=method, last="euler").steps_of(4 * stages + 1) == 5
    if stages > 1:
        message = rf"`nfe` must be {4 * stages} or {5 * stages} for .*received {5 * stages - 1}"
        with pytest.raises(ValueError, match=message):
            RhoRK(method=method).table(VPSDE(), 5 * stages - 1)


def test_heun_takes_odd_budgets():
    assert Heun().table(CLD(), 19).nfe == 19
    with pytest.raises(ValueError, match=r"`nfe` must be 19 or 21 .*received 20"):
        Heun().table(CLD(), 20)


def test_no_evaluation_without_noise():
    sde = DiscreteVPSDE(np.linspace(1e-4, 0.02, 100))
    with pytest.raises(ValueError, match=re.escape('`last` must be "euler" for "2heun" on a grid')):
        RhoRK(method="2heun").table(sde, 8)
    assert RhoRK(method="3ralston").table(sde, 9).time.min() > 0
    assert RhoRK(method="2heun", last="euler").table(sde, 9).time.min() > 0


def test_errors():
    with pytest.raises(ValueError, match=r"`method` must be one of .*received '5rk'"):
        RhoRK(method="5rk")
    with pytest.raises(ValueError, match=r'`last` must be "full" or "euler", received \'x\''):
        RhoRK(last="x")
    with pytest.raises(ValueError, match="`variable` must be one of"):
        RhoRK(variable="x")
    with pytest.raises(ValueError, match=r'`flow` must be "t" or "rho", received \'x\''):
        Heun(flow="x")
