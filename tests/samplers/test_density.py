"""Log-densities against closed forms: data with an exact score on every diffusion."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from gddim_tf.samplers import RK45
from gddim_tf.samplers.density import first_time, log_density
from gddim_tf.sdes import VPSDE, DiscreteVPSDE, NumericalSDE
from tests.oracles import Mixture
from tests.samplers.cases import ALL_SDES
from tests.samplers.linear_data import shape_of

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

# Ornstein and Uhlenbeck's process, without its closed form.
SDES = {**ALL_SDES, "numerical": NumericalSDE([[-2.0]], [[2.0]], [[1e-4]], t_min=0.01)}
TIGHT = RK45(rtol=1e-7, atol=1e-7)


def slow_but(*quick):
    """The names of all diffusions, of which every test run takes the quick ones."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in SDES]


def gaussian_data(sde, components=1, seed=0):
    rng = np.random.default_rng(seed)
    shape = shape_of(sde) if sde.modes else (2,)
    means = rng.uniform(-1, 1, (components, *shape))
    variances = rng.uniform(0.05, 0.5, (components, means[0].size))
    return Mixture(sde, np.full(components, 1 / components), means, variances)


def exact_log_density(data, u, start):
    """`log p_t` at the start, but for the prior in place of `p_T` at the end."""
    sde = data.sde
    end = data.flow(u, start, sde.t_max)
    scale = data.full(sde.prior_scale())
    prior = scipy.stats.multivariate_normal(np.zeros(len(scale)), scale @ scale.T)
    at_prior = prior.logpdf(data.flatten(end))
    return data.log_density(u, start) - data.log_density(end, sde.t_max) + at_prior


@pytest.mark.parametrize("name", slow_but("vp", "ve", "cld", "bdm", "flow"))
def test_gaussian_data(name):
    sde = SDES[name]
    data = gaussian_data(sde)
    start = 1.0 if name == "discrete" else sde.t_min
    u = data.sample_state(3, start)
    # the flow of a table of betas is too rough in time for the reference
    solver = RK45(rtol=1e-6, atol=1e-6) if name == "numerical" else TIGHT
    found = log_density(sde, data.differentiable_eps_fn(), tf.constant(u), solver=solver)
    if name == "discrete":
        end = found.latent.numpy()
        prior = scipy.stats.norm(0, 1).logpdf(end).sum(1)
        expected = data.log_density(u, start) - data.log_density(end, sde.t_max) + prior
    elif sde.signal_free:  # the prior is what the flow ends at
        expected = data.log_density(u, start)
    else:
        expected = exact_log_density(data, u, start)
    np.testing.assert_allclose(found.log_density, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["vp", pytest.param("cld", marks=pytest.mark.slow)])
def test_mixtures(name):
    sde = SDES[name]
    data = gaussian_data(sde, components=2)
    u = data.sample_state(4, sde.t_min, seed=1)
    found = log_density(sde, data.differentiable_eps_fn(), tf.constant(u), solver=TIGHT)
    expected = exact_log_density(data, u, sde.t_min)
    np.testing.assert_allclose(found.log_density, expected, rtol=1e-5, atol=1e-5)


def test_the_network_is_called_nfe_times():
    data = gaussian_data(VPSDE())
    network, calls = data.differentiable_eps_fn(), []

    def counted(u, t):
        time = tf.numpy_function(lambda t: calls.append(t) or t, [t], t.dtype)
        return network(u, tf.ensure_shape(time, t.shape))

    u = tf.constant(data.sample_state(2, 1e-3))
    found = log_density(data.sde, counted, u)
    assert found.nfe == len(calls)
    assert min(t[0] for t in calls) == pytest.approx(1e-3, rel=1e-9)
    assert max(t[0] for t in calls) == pytest.approx(1.0, rel=1e-9)


def test_one_sign_per_number_is_exact_where_the_jacobian_is_diagonal():
    data = gaussian_data(VPSDE())
    u = tf.constant(data.sample_state(3, 1e-3))
    signs = tf.constant(np.random.default_rng(0).choice([-1.0, 1.0], (1, *u.shape)))
    network = data.differentiable_eps_fn()
    exact = log_density(data.sde, network, u, solver=TIGHT)
    estimate = log_density(data.sde, network, u, solver=TIGHT, probes=signs)
    np.testing.assert_allclose(estimate.log_density, exact.log_density, rtol=1e-6)


def test_an_image_does_not_depend_on_its_batch():
    data = gaussian_data(VPSDE(), components=2)
    u = tf.constant(data.sample_state(4, 1e-3))
    network = data.differentiable_eps_fn()
    together = log_density(data.sde, network, u, solver=TIGHT).log_density
    alone = log_density(data.sde, network, u[2:3], solver=TIGHT).log_density
    np.testing.assert_allclose(alone, together[2:3], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("count", "first"), [(100, 1.0), (1000, 1.0), (4000, 4.0)])
def test_a_table_of_betas_starts_where_its_network_was_trained(count, first):
    assert first_time(DiscreteVPSDE(np.linspace(1e-4, 2e-3, count))) == first
