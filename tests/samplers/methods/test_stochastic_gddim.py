import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.numerics.linalg import transpose
from gddim_tf.samplers import DDIM, GDDIM, ListGrid, PowerGrid, StochasticGDDIM, run
from gddim_tf.sdes import CLD, VPSDE
from tests.samplers import problems
from tests.samplers.cases import SDES


@pytest.mark.parametrize("lam", ["0", "0.1", "0.3", "0.5", "0.7", "1"])
def test_stochastic_steps_equal_the_reference(lam):
    z = problems.golden("cldA_lambda")
    sampler = StochasticGDDIM(lam=float(lam), grid=ListGrid(z["ts"]))
    table = sampler.table(CLD(), len(z["ts"]) - 1)
    np.testing.assert_allclose(table.prediction[:, 0], z[f"lam{lam}_eps_exact"], atol=1e-9)
    expected = z[f"lam{lam}_cov_exact"]
    if lam == "0":
        assert table.noise is None
    else:
        np.testing.assert_allclose(table.noise @ transpose(table.noise), expected, atol=1e-9)


def test_stochastic_trajectory_with_given_noise():
    z, problem = problems.golden("cldA_traj"), problems.cld()
    sampler = StochasticGDDIM(lam=float(z["stoch_lambda"]), grid=ListGrid(z["stoch_ts"]))
    noise = problems.packed(z["stoch_noise"])
    noise[-1] = 0.0  # the reference draws none on the last step
    table = sampler.table(problem.sde, len(noise))
    end = run(table, problem.network, tf.constant(problem.u_T), noise=noise)
    np.testing.assert_allclose(end, problems.packed(z["stoch_u"]), atol=1e-6)


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("lam", [0.1, 0.5, 1.0])
def test_stochastic_steps_keep_the_marginal_of_a_single_data_point(name, lam):
    # eps = R^{-1} (u - Psi u_0) is linear in u, so mean and covariance follow exactly.
    sde = SDES[name]
    table = StochasticGDDIM(lam=lam).table(sde, 6)
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
    ancestral, ddpm = (s.table(sde, 7) for s in (StochasticGDDIM(lam=1.0), DDIM(eta=1.0)))
    np.testing.assert_allclose(ancestral.prediction, ddpm.prediction, atol=1e-12)
    np.testing.assert_allclose(ancestral.noise, ddpm.noise, atol=1e-12)
    for other in (CLD(), sde):
        quiet, silent = (s.table(other, 7) for s in (StochasticGDDIM(lam=1e-7), GDDIM(order=0)))
        np.testing.assert_allclose(quiet.prediction, silent.prediction, atol=1e-9)
        assert np.abs(quiet.noise).max() < 1e-6


def test_a_denoising_row_is_one_more_evaluation():
    sampler = StochasticGDDIM(denoise=True)
    table, plain = sampler.table(CLD(), 6), StochasticGDDIM().table(CLD(), 5)
    np.testing.assert_array_equal(table.prediction[:5], plain.prediction)
    np.testing.assert_array_equal(
        table.state[5], GDDIM(order=0, denoise=True).table(CLD(), 6).state[5]
    )
    assert not table.noise[5].any()


@pytest.mark.parametrize("lam", [-0.1, 1.5, float("nan")])
def test_lambda_is_checked(lam):
    with pytest.raises(ValueError, match=r"`lam` must be in \[0, 1\], received"):
        StochasticGDDIM(lam=lam)


def test_a_denoising_row_needs_a_budget():
    with pytest.raises(ValueError, match=r"`nfe` must be at least 2 for .*received 1"):
        StochasticGDDIM(denoise=True).table(VPSDE(), 1)
