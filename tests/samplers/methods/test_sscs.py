import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from gddim_tf.numerics.linalg import transpose
from gddim_tf.samplers import SSCS, EulerMaruyama, PowerGrid, run
from gddim_tf.sdes import CLD, VPSDE
from tests.samplers import problems
from tests.samplers.cases import SDES
from tests.samplers.linear_data import end_covariance, gaussian, gaussian_covariance, per_pixel

STATIONARY = ["vp", "cosine", "discrete", "cld"]


def reference_data(sde):
    """The covariance of the data for which the score is the Gaussian one throughout."""
    scale = sde.prior_scale()
    return scale @ transpose(scale) - sde.covariance(0.0)


@pytest.mark.parametrize("name", SDES)
@pytest.mark.parametrize("nfe", [1, 2, 7])
def test_its_own_gaussian_is_sampled_exactly(name, nfe):
    sde = SDES[name]
    data = reference_data(sde)
    start, end = (gaussian_covariance(sde, data, t) for t in (sde.t_max, sde.t_min))
    sampled = end_covariance(SSCS().table(sde, nfe), sde, gaussian(sde, data), start)
    expected = per_pixel(sde, end)
    np.testing.assert_allclose(sampled, expected, atol=1e-11 * expected.max())
    if name in STATIONARY:  # S is the prior throughout
        prior = sde.prior_scale() @ transpose(sde.prior_scale())
        np.testing.assert_allclose([start, end], [prior, prior], atol=1e-12)


def test_half_steps_are_the_reverse_ornstein_uhlenbeck_process_on_cld():
    """`du = -(F + G G^T S^{-1}) u dr + G dw` in r = -t, with S = diag(1, M)."""
    sde = CLD()
    times = PowerGrid(2.0)(sde, 4)
    table = SSCS().fill(sde, times)
    square = sde.diffusion(0.5) @ transpose(sde.diffusion(0.5))
    generator = -(sde.drift(0.5) + square @ np.diag([1, 1 / sde.mass]))
    middle = 0.5 * (times[0] + times[1])
    matrix, noise = table.start
    np.testing.assert_allclose(
        matrix, scipy.linalg.expm(generator * (times[0] - middle)), atol=1e-12
    )
    stationary = np.diag([1, sde.mass])
    np.testing.assert_allclose(
        matrix @ stationary @ matrix.T + noise @ noise.T, stationary, atol=1e-12
    )
    np.testing.assert_allclose(table.time, 0.5 * (times[:-1] + times[1:]))


def test_neighbouring_half_steps_are_merged():
    """A grid through the middles makes the same analytic steps in two halves."""
    sde = CLD()
    whole, split = (SSCS().fill(sde, np.array(t)) for t in ([1.0, 0.6, 0.2], [0.8, 0.6, 0.4]))
    # both evaluate first in the middle of their first step, at 0.8 and 0.7
    np.testing.assert_allclose(whole.time, [0.8, 0.4])
    np.testing.assert_allclose(split.time, [0.7, 0.5])
    first, _ = SSCS().fill(sde, np.array([0.8, 0.4])).start  # 0.8 -> 0.6
    second, _ = SSCS().fill(sde, np.array([0.6, 0.2])).start  # 0.6 -> 0.4
    score = np.linalg.solve(second @ first, whole.state[0])  # what is left is I + h G G^T S^{-1}
    square = sde.diffusion(0.8) @ transpose(sde.diffusion(0.8))
    np.testing.assert_allclose(
        score, np.eye(2) + 0.4 * square @ np.diag([1, 1 / sde.mass]), atol=1e-12
    )


@pytest.mark.parametrize("name", ["vp", "cld", "bdm", "ve"])
def test_covariances_converge_with_order_one(name):
    sde = problems.smooth(name)[0].sde
    data = np.diag([0.3] + [0.0] * (sde.components - 1))
    start = gaussian_covariance(sde, data, sde.t_max)
    expected = per_pixel(sde, gaussian_covariance(sde, data, sde.t_min))

    def error(sampler, nfe):
        table = sampler.table(sde, nfe)
        return np.abs(end_covariance(table, sde, gaussian(sde, data), start) - expected).max()

    assert np.log2(error(SSCS(), 80) / error(SSCS(), 160)) == pytest.approx(1, abs=0.1)
    if name == "cld":
        assert error(SSCS(), 40) < 0.3 * error(EulerMaruyama(), 40)


def test_draws():
    table = SSCS().table(VPSDE(), 5)
    u = tf.zeros([2, 3])
    with pytest.raises(ValueError, match="`noise` must hold 6 draws, received 5"):
        run(table, lambda u, t: u, u, noise=np.zeros((5, 2, 3)))
    with pytest.raises(ValueError, match="`noise` or `seeds` must be given"):
        run(table, lambda u, t: u, u)
    with pytest.raises(ValueError, match="encoding needs a deterministic sampler"):
        SSCS().encode(VPSDE(), 5)
