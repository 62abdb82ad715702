import numpy as np
import pytest

from gddim_tf.numerics.linalg import transpose
from gddim_tf.samplers import RePaint, StochasticGDDIM
from tests.sdes import cases


def test_without_repeats_it_is_the_reverse_diffusion():
    sde = cases.sde("cld")
    one, other = RePaint(repeats=1).table(sde, 8), StochasticGDDIM().table(sde, 8)
    for name in ("time", "state", "prediction", "noise"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-12)


def test_times_go_back_and_forth():
    """Two steps, back to their beginning, and again; the last step is not repeated."""
    table = RePaint(jump=2, repeats=3).table(cases.sde("vp"), 13)
    grid = StochasticGDDIM().table(cases.sde("vp"), 5).time
    np.testing.assert_allclose(table.time, grid[[0, 1] * 3 + [2, 3] * 3 + [4]])


@pytest.mark.parametrize("name", ["vp", "ve", "cld", "bdm", "third_order", "flow", "flow_shift"])
@pytest.mark.parametrize("lam", [0.0, 1.0])
def test_the_covariance_of_the_noise_stays_that_of_the_diffusion(name, lam):
    """On data that are one point a state of the right covariance keeps the right one."""
    sde = cases.sde(name)
    table = RePaint(jump=2, repeats=2, lam=lam).table(sde, 9 + sde.signal_free)
    ends = np.append(table.time[1:], sde.t_min)
    identity = np.eye(sde.components)
    for i in range(table.nfe):
        # eps of a single point at 0 is R^{-1} u; where no signal is left, the point itself is told
        eps = np.linalg.inv(sde.root(table.time[i]))
        if sde.signal_free and table.time[i] == sde.t_max:
            eps = np.zeros_like(eps)
        carried = table.state[i] + table.prediction[i, 0] @ eps
        covariance = carried @ sde.covariance(table.time[i]) @ transpose(carried)
        if table.noise is not None:
            covariance = covariance + table.noise[i] @ transpose(table.noise[i])
        expected = sde.covariance(ends[i]) * np.ones_like(identity)
        np.testing.assert_allclose(covariance, expected, atol=1e-9 * np.abs(expected).max())


def test_refused():
    with pytest.raises(ValueError, match="`jump` must be at least 1, received 0"):
        RePaint(jump=0)
    with pytest.raises(ValueError, match=r"`lam` must be in \[0, 1\], received 2.0"):
        RePaint(lam=2.0)
    with pytest.raises(ValueError, match="`nfe` must be 19 or 22 for RePaint, received 20"):
        RePaint().table(cases.sde("vp"), 20)
