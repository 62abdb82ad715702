import concurrent.futures
import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.numerics.linalg import transpose
from gddim_tf.samplers import RK45, NotFiniteError
from gddim_tf.samplers.probability_flow import flow_matrices
from gddim_tf.sdes import VPSDE, DiscreteVPSDE
from tests.oracles import Mixture
from tests.samplers import problems
from tests.samplers.cases import ALL_SDES, SDES, SIGNAL_FREE
from tests.samplers.linear_data import (
    as_network,
    gaussian,
    gaussian_covariance,
    per_pixel,
    shape_of,
    single_point,
)
from tests.samplers.peers import peers
from tests.samplers.replay import apply

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


@pytest.fixture(scope="module")
def continuous():
    """The mixture of the discrete runs on the continuous VPSDE, and a network that counts."""
    arrays = peers("linear").arrays
    data = Mixture(VPSDE(), arrays["gmm_w"], arrays["gmm_mu"], arrays["gmm_cov"])
    calls = []

    def eps(u, t):
        calls.append(t)
        return data.eps(u, t).astype(u.dtype)

    return data.sde, as_network(eps), arrays["x_T"], calls


# ---- against the references -------------------------------------------------------------------


@pytest.mark.parametrize(("tolerance", "error"), [(1e-4, 5e-3), (1e-7, 1e-6), (1e-12, 1e-10)])
def test_continuous_flow(continuous, tolerance, error):
    sde, network, x_T, calls = continuous
    calls.clear()
    solution = RK45(rtol=tolerance, atol=tolerance).solve(sde, network, tf.constant(x_T))
    expected = peers("linear").arrays["ode_vpsde_dop853_t1_to_0.001"]
    assert np.abs(solution.state - expected).max() < error
    assert solution.nfe == len(calls)
    assert max(calls) == pytest.approx(1.0, rel=1e-12)
    assert min(calls) == pytest.approx(sde.t_min, rel=1e-12)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize(("start", "end"), [(1000, 0), (1000, 1), (951, 0)])
def test_discrete_flow(schedule, start, end):
    """A table of betas has kinks in time, and none in log rho; its last step is order 0."""
    reference = peers(schedule)
    name = f"ode_start{start - 1}_end_abar{0 if end else 1}"
    solution = RK45(rtol=1e-9, atol=1e-9).solve(
        reference.sde, reference.network, tf.constant(reference.arrays["x_T"]), start=start, end=end
    )
    expected = reference.arrays[name]
    # the step from index 0 (sigma = 0.01) to the data is outside of the tolerance
    np.testing.assert_allclose(solution.state, expected, atol=1e-7 if end else 5e-4)


def test_the_step_to_the_data_is_counted():
    reference, calls = peers("linear"), []

    def eps(u, t):
        calls.append(t)
        return reference.data.eps(u, t)

    start = tf.constant(reference.arrays["x_T"])
    solution = RK45(rtol=1e-3, atol=1e-3).solve(reference.sde, as_network(eps), start)
    assert solution.nfe == len(calls)
    np.testing.assert_allclose(calls[-2:], 1.0, rtol=1e-12)


def test_the_step_to_the_data_starts_where_training_does():
    """Also on a short table, and for a network that computes in single precision."""
    sde, times = DiscreteVPSDE(np.linspace(1e-3, 0.2, 100)), []

    def eps(u, t):
        times.append(t)
        return np.zeros(u.shape, np.float32)

    def network(u, t):
        return tf.ensure_shape(tf.numpy_function(eps, [u, t[0]], tf.float32), u.shape)

    u = tf.constant([[1.0, -2.0]], tf.float64)
    solution = RK45().solve(sde, network, u)
    assert min(times) == pytest.approx(1.0, rel=1e-9)
    np.testing.assert_allclose(solution.state, sde.transition(0.0, 100.0)[0] * u, rtol=1e-3)
    with pytest.raises(NotFiniteError, match="`eps_fn` must return finite values, received NaN"):
        RK45().solve(sde, lambda u, t: u * np.nan, u, start=1.0)


def test_an_empty_interval():
    u = tf.constant([[1.0, -2.0]])
    still = RK45().solve(VPSDE(), lambda u, t: u, u, start=0.5, end=0.5)
    np.testing.assert_array_equal(still.state, u)
    assert still.nfe == 0
    volume = RK45().solve_with_volume(VPSDE(), lambda u, t: u, u, start=0.5, end=0.5)
    np.testing.assert_array_equal(volume.log_det, [0.0])


def test_cld_flow():
    problem = problems.cld()
    truth = problems.packed(problems.golden("cldA_traj")["truth_u"])
    solution = RK45(rtol=1e-6, atol=1e-6).solve(
        problem.sde, problem.network, tf.constant(problem.u_T)
    )
    np.testing.assert_allclose(solution.state, truth, atol=1e-5)


# ---- properties -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vp", "cosine", "ve", "karras", "cld", "bdm", "psld", "hold"])
@pytest.mark.parametrize("variable", ["log_rho", "t"])
def test_matrices_of_the_flow(name, variable):
    """`A = F dt/dz` and `B = 1/2 G G^T R^{-T} dt/dz`; with z = t at three times."""
    sde = SDES[name]
    for t in sde.t_min + (sde.t_max - sde.t_min) * np.array([0.01, 0.4, 1.0]):
        z = np.array(t if variable == "t" else np.log(sde.rho(t)))
        time, drift, pull = flow_matrices(sde, variable, z)
        assert time == pytest.approx(t, rel=1e-12)
        slope = 1.0
        if variable == "log_rho":
            h = 1e-6 * t
            slope = 2 * h / np.log(sde.rho(t + h) / sde.rho(t - h))
        half = 0.5 * sde.diffusion(t) @ transpose(sde.diffusion(t))
        expected = half @ transpose(np.linalg.inv(sde.root(t)))
        scale = np.abs(slope * sde.drift(t)).max() + np.abs(slope * expected).max()
        np.testing.assert_allclose(drift, slope * sde.drift(t), atol=1e-7 * scale)
        np.testing.assert_allclose(pull, slope * expected, atol=1e-7 * scale)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n == "hold")) for n in ALL_SDES]
)
def test_a_single_data_point_is_reached(name):
    sde = ALL_SDES[name]
    eps, clean = single_point(sde)
    scale = sde.prior_scale()[..., 0, 0].max()
    u = scale * np.random.default_rng(0).standard_normal(clean.shape)
    solution = RK45(rtol=1e-4, atol=1e-4).solve(sde, as_network(eps), tf.constant(u))
    noise = 8 * np.sqrt(np.abs(sde.covariance(sde.t_min)).max()) + 1e-3
    images = [sde.to_images(tf.convert_to_tensor(state)) for state in (solution.state, clean)]
    np.testing.assert_allclose(*images, atol=noise)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n in ("psld", "hold"))) for n in ALL_SDES],
)
def test_the_error_is_of_the_order_of_the_tolerance(name):
    """The flow of a Gaussian is linear, and takes its covariance at the start to that at the end.

    For loose tolerances too, with which steps could pass over all that happens.
    """
    sde, pixels = ALL_SDES[name], (*shape_of(ALL_SDES[name])[:-1], ALL_SDES[name].components)
    data = np.diag([0.25] + [0.0] * (sde.components - 1))
    start, expected = (gaussian_covariance(sde, data, t) for t in (sde.t_max, sde.t_min))
    directions = np.zeros((sde.components, *pixels))
    for i in range(sde.components):
        directions[i, ..., i] = 1.0
    u = tf.constant(apply(np.linalg.cholesky(start), directions, sde.mode_index))
    network = as_network(gaussian(sde, data))
    for tolerance in (1e-2, 1e-3, 1e-4):
        end = RK45(rtol=tolerance, atol=tolerance).solve(sde, network, u).state.numpy()
        found = np.einsum("s...i,s...j->...ij", end, end)
        assert np.abs(found - per_pixel(sde, expected)).max() < 5 * tolerance


@pytest.mark.parametrize("name", SIGNAL_FREE)
def test_from_and_to_where_nothing_is_left_of_the_data(name):
    """The flow of a Gaussian keeps the place within the distribution; both ways, in its volume."""
    sde, u = SIGNAL_FREE[name], np.linspace(-2, 2, 9)[:, None]
    data = Mixture.gaussian(sde, np.array([0.3]), 0.25)
    mean, variance = (moment.item() for moment in data.moments(sde.t_min))
    network, solver = data.differentiable_eps_fn(), RK45(rtol=1e-8, atol=1e-8)
    clean = solver.solve(sde, data.eps_fn(), tf.constant(u))
    np.testing.assert_allclose(clean.state, mean + np.sqrt(variance) * u, atol=1e-7)
    code = solver.solve_with_volume(sde, network, clean.state, start=sde.t_min, end=sde.t_max)
    np.testing.assert_allclose(code.state, u, atol=1e-6)
    np.testing.assert_allclose(code.log_det, -0.5 * np.log(variance), atol=1e-6)
    near = solver.solve(sde, data.eps_fn(), tf.constant(u), end=0.9999999)
    assert near.nfe == 1
    np.testing.assert_allclose(near.state, u, atol=1e-6)


def test_there_and_back(continuous):
    sde, network, x_T, _ = continuous
    solver = RK45(rtol=1e-7, atol=1e-7)
    clean = solver.solve(sde, network, tf.constant(x_T)).state
    code = solver.solve(sde, network, clean, start=sde.t_min, end=sde.t_max).state
    np.testing.assert_allclose(code, x_T, atol=1e-4)


def test_float32(continuous):
    sde, network, x_T, _ = continuous
    single = RK45().solve(sde, network, tf.constant(x_T, tf.float32))
    double = RK45().solve(sde, network, tf.constant(x_T))
    assert single.state.dtype == tf.float32
    assert abs(single.nfe - double.nfe) <= 12
    np.testing.assert_allclose(single.state, double.state, atol=1e-3)


def test_tfp_itself_is_left_as_it_is(continuous):
    from tensorflow_probability.python.math.ode import dormand_prince

    sde, network, x_T, _ = continuous
    before = dormand_prince._TABLEAU
    RK45(rtol=1e-2, atol=1e-2).solve(sde, network, tf.constant(x_T))
    assert dormand_prince._TABLEAU is before


def test_threads_share_a_sampler():
    problem, solver = problems.scalar("vp"), RK45(rtol=1e-3, atol=1e-3)

    def end(seed):
        u = np.random.default_rng(seed).standard_normal(problem.u_T.shape)
        return solver.solve(problem.sde, problem.network, tf.constant(u)).state.numpy()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = list(pool.map(end, range(4)))
    for seed, state in enumerate(together[:2]):
        np.testing.assert_array_equal(state, end(seed))


# ---- errors -----------------------------------------------------------------------------------


def test_errors(continuous):
    sde, network, x_T, _ = continuous
    x_T = tf.constant(x_T)
    with pytest.raises(ValueError, match="`rtol` must be positive, received 0"):
        RK45(rtol=0)
    with pytest.raises(ValueError, match="`variable` must be one of"):
        RK45(variable="sigma")
    with pytest.raises(dataclasses.FrozenInstanceError):
        RK45().rtol = 1.0
    with pytest.raises(ValueError, match=r"`end` must be in \[0, 1.0\], received 2.0"):
        RK45().solve(sde, network, x_T, end=2.0)
    with pytest.raises(ValueError, match="`start` must be above 0, received 0"):
        RK45().solve(sde, network, x_T, start=0.0)
    with pytest.raises(ValueError, match=r"`max_steps` must be larger .*received 2"):
        RK45(max_steps=2).solve(sde, network, x_T)
    with pytest.raises(ValueError, match="`eps_fn` must return finite values, received NaN"):
        RK45().solve(sde, lambda u, t: u * np.nan, x_T)


def test_context_reaches_the_network(continuous):
    sde, network, x_T, _ = continuous

    def shifted(u, t, shift):
        return network(u, t) + shift[:, None]

    solver = RK45(rtol=1e-3, atol=1e-3)
    plain = solver.solve(sde, network, tf.constant(x_T)).state
    zero, one = (
        solver.solve(sde, shifted, tf.constant(x_T), context={"shift": tf.fill([8], value)}).state
        for value in (tf.constant(0.0, tf.float64), tf.constant(0.3, tf.float64))
    )
    np.testing.assert_allclose(zero, plain)
    assert np.abs(one - plain).max() > 1e-2
