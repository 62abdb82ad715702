import numpy as np
import pytest

from gddim_tf.samplers import GDDIM, default
from gddim_tf.sdes import CLD, DiscreteVPSDE
from tests.oracles import Mixture
from tests.samplers import problems
from tests.samplers.cases import SDES


def cld():
    problem = problems.cld()
    return problem.sde, problem.data, problem.u_T, 2


def bdm():
    problem = problems.bdm()
    return problem.sde, problem.data, problem.u_T, 1


def ddpm():
    z = problems.golden("discrete_accuracy")
    sde = DiscreteVPSDE(z["betas"])
    return sde, Mixture(sde, z["gmm_w"], z["gmm_mu"], z["gmm_cov"]), z["x_T"], 2


# Root mean square errors per value in the image. The best published runs on the same problems have
# 0.0515, 0.0135, 0.00099 (CLD), 0.0288, 0.015, 0.00615 (BDM) and 0.081, 0.029, 0.0056 (VP).
BOUNDS = {
    "cld": (cld, {10: 0.028, 20: 0.0065, 50: 0.0002}),
    "bdm": (bdm, {10: 0.006, 20: 0.0015, 50: 0.0001}),
    "ddpm": (ddpm, {10: 0.045, 20: 0.004, 50: 0.0001}),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_errors_on_the_reference_problems(name):
    make, bounds = BOUNDS[name]
    sde, data, start, columns = make()
    if name == "ddpm":
        end = problems.golden("discrete_accuracy")["end"]
    else:
        end = data.flow(start, sde.t_max, sde.t_min)[..., :columns]
    for nfe, bound in bounds.items():
        final, _ = problems.replay(default(sde, nfe).table(sde, nfe), data.eps, start)
        assert np.sqrt(np.mean((final[..., :columns] - end) ** 2)) <= bound


@pytest.mark.parametrize("dimension", [1, 4, 32])
@pytest.mark.parametrize("nfe", [10, 20])
def test_it_beats_gddim_on_other_mixtures(dimension, nfe):
    rng = np.random.default_rng(dimension)
    means = rng.standard_normal((3, dimension))
    data = Mixture(CLD(), [0.5, 0.3, 0.2], means, np.full((3, dimension), 0.05))
    start = np.random.default_rng(1).standard_normal((16, 2 * dimension)) @ np.diag(
        np.repeat([1.0, 0.5], dimension)
    )
    end = data.flow(start, 1.0, data.sde.t_min)
    errors = []
    for sampler in (default(data.sde, nfe), GDDIM(order=3)):
        final, _ = problems.replay(sampler.table(data.sde, nfe), data.eps, start)
        errors.append(np.sqrt(np.mean((final - end)[:, :dimension] ** 2)))
    assert errors[0] < errors[1]


@pytest.mark.parametrize("sde", SDES)
def test_it_spends_any_budget(sde):
    diffusion = SDES[sde]
    for nfe in (1, 2, 3, 7, 13, 60):
        table = default(diffusion, nfe).table(diffusion, nfe)
        assert table.nfe == nfe
        assert table.noise is None


def test_a_budget_below_one_is_refused():
    with pytest.raises(ValueError, match="`nfe` must be a whole number of at least 1, received 0"):
        default(CLD(), 0)
