import numpy as np
import pytest

from benchmarks.accuracy.networks import network
from gddim_tf.samplers import GDDIM, IPNDM, DPMSolver, PowerGrid, default
from gddim_tf.sdes import CLD, HOLD
from tests.oracles import Mixture
from tests.samplers import problems
from tests.samplers.cases import ALL_SDES

# Root mean square errors per value in the image. The best published runs on the same problems have
# 0.0515, 0.0135, 0.00099 (CLD), 0.0288, 0.015, 0.00615 (BDM) and 0.081, 0.029, 0.0056 (VP).
BOUNDS = {
    "cld": (problems.cld, {10: 0.028, 20: 0.0065, 50: 0.0002}),
    "bdm": (problems.bdm, {10: 0.006, 20: 0.0015, 50: 0.0001}),
    "ddpm": (problems.ddpm, {10: 0.045, 20: 0.004, 50: 0.0001}),
}
BUDGETS = (3, 4, 5, 6, 8, 10, 15, 20, 30, 50)


@pytest.mark.parametrize("name", BOUNDS)
def test_errors_on_the_reference_problems(name):
    make, bounds = BOUNDS[name]
    problem = make()
    errors = {}
    for nfe in BUDGETS:
        table = default(problem.sde, nfe).table(problem.sde, nfe)
        final, _ = problems.replay(table, problem.data.eps, problem.u_T)
        image = final[..., : problem.end.shape[-1]]
        errors[nfe] = np.sqrt(np.mean((image - problem.end) ** 2))
    for nfe, bound in bounds.items():
        assert errors[nfe] <= bound
    assert list(errors.values()) == sorted(errors.values(), reverse=True)


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


@pytest.mark.parametrize("sde", ALL_SDES)
def test_it_spends_any_budget(sde):
    diffusion = ALL_SDES[sde]
    for nfe in (1, 2, 3, 7, 13, 60):
        table = default(diffusion, nfe).table(diffusion, nfe)
        assert table.nfe == nfe
        assert table.noise is None


def test_a_budget_below_one_is_refused():
    with pytest.raises(ValueError, match="`nfe` must be a whole number of at least 1, received 0"):
        default(CLD(), 0)


@pytest.mark.parametrize("kind", ["vp", "cld", "bdm"])
def test_on_trained_networks_it_is_among_the_best_and_gains_with_the_budget(kind):
    problem = network(f"digits_{kind}", count=24, evaluations=80)

    def squares(sampler, nfe):
        return problem.errors(sampler.table(problem.sde, nfe)) ** 2

    errors = {nfe: squares(default(problem.sde, nfe), nfe) for nfe in (3, 5, 8, 15, 30)}
    # the median, because a single image between two digits may decide the mean from 15 on
    medians = [np.median(error) for error in errors.values()]
    assert medians == sorted(medians, reverse=True)
    for nfe in (5, 8, 15):
        others = (GDDIM(order=3), DPMSolver(order=3), IPNDM(grid=PowerGrid(2.0)))
        best = min(np.mean(squares(other, nfe)) for other in others)
        assert np.sqrt(np.mean(errors[nfe])) <= 1.1 * np.sqrt(best)


def test_it_is_stable_with_accelerations():
    """Order 4, which is best with velocities, has an error of hundreds there."""
    data = Mixture(HOLD(), [0.6, 0.4], np.array([[0.5], [-0.4]]), np.full((2, 1), 0.1))
    start = data.sample_state(8, data.sde.t_max)
    ends = [
        problems.replay(sampler.table(data.sde, nfe), data.eps, start)[0][:, 0]
        for sampler, nfe in ((default(data.sde, 50), 50), (GDDIM(order=3), 200))
    ]
    np.testing.assert_allclose(*ends, atol=0.05)
