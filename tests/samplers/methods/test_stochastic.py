import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.numerics.linalg import transpose
from gddim_tf.samplers import DDIM, Ancestral, Euler, EulerMaruyama, StochasticGDDIM, run
from gddim_tf.sdes import CLD, VPSDE, DiscreteVPSDE
from tests.samplers import problems
from tests.samplers.cases import SDES
from tests.samplers.linear_data import (
    end_covariance,
    gaussian,
    gaussian_covariance,
    per_pixel,
    shape_of,
)
from tests.samplers.peers import SCHEDULES, leading, peers

# ---- against the references -------------------------------------------------------------------


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("variance", ["small", "large"])
@pytest.mark.parametrize("clip", [None, 1.0])
def test_ddpm_runs(schedule, variance, clip):
    """diffusers draws no noise in the last step, which these tables hold as a factor 0."""
    template = f"df_ddpm_fixed_{variance}_clip{int(clip is not None)}_N{{}}"
    peers(schedule).check(template, Ancestral(variance=variance, clip=clip), leading(0.0))


@pytest.mark.parametrize("steps", [10, 20, 50])
def test_euler_on_cld(steps):
    end = problems.cld().sample(EulerMaruyama(lam=0.0), steps)
    expected = problems.packed(problems.golden("cldA_traj")[f"em_lam0_N{steps}"])
    # the reference has R to 6e-7 only, from a matrix ODE in single steps
    np.testing.assert_allclose(end, expected, atol=2e-5)


# ---- ancestral sampling -----------------------------------------------------------------------


def in_eps(table):
    """The weights of the state and of eps, of a table that stores predicted data."""
    weight = table.prediction[:, 0]
    return table.state + weight @ table.data_state, weight @ table.data_eps


@pytest.mark.parametrize("name", SDES)
def test_ancestral_sampling_is_stochastic_gddim(name):
    sde = SDES[name]
    ancestral, gddim = (s.table(sde, 7) for s in (Ancestral(), StochasticGDDIM(lam=1.0)))
    state, weight = in_eps(ancestral)
    np.testing.assert_allclose(state, gddim.state, atol=1e-9)
    np.testing.assert_allclose(weight, gddim.prediction[:, 0], atol=1e-9)
    np.testing.assert_allclose(ancestral.noise, gddim.noise, atol=1e-12)


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("nfe", [1, 6])
def test_the_marginal_of_a_single_data_point_is_kept(name, nfe):
    sde = SDES[name]
    nothing = np.zeros((sde.components, sde.components))
    end = end_covariance(
        Ancestral().table(sde, nfe), sde, gaussian(sde, nothing), sde.covariance(sde.t_max)
    )
    expected = per_pixel(sde, sde.covariance(sde.t_min))
    np.testing.assert_allclose(end, expected, atol=1e-10 * max(np.abs(expected).max(), 1e-3))


@hypothesis.given(
    pair=st.tuples(st.integers(1, 100), st.integers(1, 99)).filter(lambda p: p[0] > p[1])
)
def test_the_two_variances_of_ddpm(pair):
    betas = np.linspace(1e-4, 0.05, 100)
    sde, times = DiscreteVPSDE(betas), np.array([*map(float, pair), 0.0])
    alpha = np.cumprod(1 - betas)
    a, b = alpha[pair[0] - 1], alpha[pair[1] - 1]
    small, large = (Ancestral(variance=v).fill(sde, times).noise for v in ("small", "large"))
    np.testing.assert_allclose(large[0] ** 2, 1 - a / b, rtol=1e-9)
    np.testing.assert_allclose(small[0] ** 2, (1 - b) / (1 - a) * (1 - a / b), rtol=1e-9)
    assert large[1] == 0
    np.testing.assert_allclose(small[1], 0.0, atol=1e-8)


def test_the_large_variance_is_that_of_the_forward_step():
    sde, times = CLD(), np.array([0.8, 0.5, 0.2])
    noise = Ancestral(variance="large").fill(sde, times).noise[0]
    forward = sde.transition(0.8, 0.5)
    through = forward @ sde.covariance(0.5) @ forward.T + noise @ transpose(noise)
    np.testing.assert_allclose(through, sde.covariance(0.8), atol=1e-12)


# ---- Euler-Maruyama ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vp", "cld", "bdm"])
def test_no_noise_is_euler(name):
    noiseless, euler = (s.table(SDES[name], 6) for s in (EulerMaruyama(lam=0.0), Euler()))
    np.testing.assert_allclose(noiseless.state, euler.state)
    np.testing.assert_allclose(noiseless.prediction, euler.prediction, rtol=1e-12, atol=1e-14)


# ---- convergence to the distribution ----------------------------------------------------------


@pytest.mark.parametrize("name", ["vp", "cld", "bdm", "ve"])
@pytest.mark.parametrize(
    "sampler",
    [EulerMaruyama(), EulerMaruyama(lam=0.5), Ancestral(), Ancestral(variance="large")],
    ids=str,
)
def test_covariances_converge_with_order_one(name, sampler):
    sde = problems.smooth(name)[0].sde
    data = np.diag([0.3] + [0.0] * (sde.components - 1))
    start = gaussian_covariance(sde, data, sde.t_max)
    expected = per_pixel(sde, gaussian_covariance(sde, data, sde.t_min))
    network = gaussian(sde, data)
    errors = [
        np.abs(end_covariance(sampler.table(sde, nfe), sde, network, start) - expected).max()
        for nfe in (80, 160)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1, abs=0.2)
    assert errors[1] < 0.2 * expected.max()


# ---- in the loop ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("sampler", [EulerMaruyama(), Ancestral(), DDIM(eta=1.0)], ids=str)
def test_an_image_depends_on_its_own_seed(name, sampler):
    sde = SDES[name]
    if isinstance(sampler, DDIM) and sde.components > 1:
        pytest.skip("DDIM with noise is for one component")
    shape = (3, *shape_of(sde)[:-1], sde.components)
    u = tf.constant(np.random.default_rng(0).standard_normal(shape), tf.float32)
    table, seeds = sampler.table(sde, 3), image_seeds(5, 0, 3)

    def network(u, t):
        return 0.1 * u

    together = run(table, network, u, seeds=seeds)
    alone = run(table, network, u[1:2], seeds=seeds[1:2])
    np.testing.assert_array_equal(together[1:2], alone)
    assert not np.allclose(together, run(table, network, u, seeds=image_seeds(6, 0, 3)))


# ---- errors -----------------------------------------------------------------------------------


def test_arguments_are_checked():
    with pytest.raises(ValueError, match=r"`lam` must be at least 0, received -0.5"):
        EulerMaruyama(lam=-0.5)
    with pytest.raises(ValueError, match=r"`variance` must be .*received 'learned'"):
        Ancestral(variance="learned")
    for sampler in (EulerMaruyama(), Ancestral()):
        with pytest.raises(ValueError, match="encoding needs a deterministic sampler"):
            sampler.encode(VPSDE(), 5)
