import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from gddim_tf.numerics.linalg import transpose
from gddim_tf.samplers import DDIM, Ancestral, StochasticGDDIM, SubsequenceGrid
from gddim_tf.sdes import BDM, CLD, VPSDE
from tests.samplers.cases import SDES
from tests.samplers.linear_data import end_covariance, gaussian, per_pixel
from tests.samplers.peers import SCHEDULES, STEPS, leading, peers, trailing

# ---- against the references -------------------------------------------------------------------

RUNS = [
    ("df_ddim_leading_N{}_one1_eta0.0", DDIM(), leading(0.0)),
    ("df_ddim_leading_N{}_one1_eta0.5", DDIM(eta=0.5), leading(0.0)),
    ("df_ddim_leading_N{}_one1_eta1.0", DDIM(eta=1.0), leading(0.0)),
    ("df_ddim_leading_N{}_one0_eta0.0", DDIM(), leading(1.0)),
    ("df_ddim_trailing_N{}_one1_eta0.0", DDIM(), trailing(0.0)),
    ("df_ddim_trailing_N{}_one0_eta0.0", DDIM(), trailing(1.0)),
    # eps follows the clipped x0 here (use_clipped_model_output)
    ("df_ddim_clip_ucm1_N{}", DDIM(eta=0.5, clip=1.0), leading(0.0)),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("template", "sampler", "times"), RUNS, ids=[run[0] for run in RUNS])
def test_diffusers_runs(schedule, template, sampler, times):
    peers(schedule).check(template, sampler, times)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", ["uniform", "quad"])
def test_ermongroup_runs(schedule, steps, kind):
    """Its quadratic sub-sequence repeats index 0 for 50 steps: a call and a draw without effect."""
    reference = peers(schedule)
    index = np.arange(steps) * (1000 // steps)
    if kind == "quad":
        index = np.floor(np.linspace(0, np.sqrt(800), steps) ** 2)
    times = index[::-1] + 1.0
    moves = np.flatnonzero(np.diff([*times, 0.0]))
    for eta in (0.0, 0.5, 1.0):
        table = reference.table(DDIM(eta=eta), [*times, 0.0])
        end = reference.run(table, draws=reference.arrays["noise"][moves])
        reference.compare(f"erm_generalized_{kind}_N{steps}_eta{eta}", end)
    table = reference.table(Ancestral(variance="large", clip=1.0), [*times, 0.0])
    end = reference.run(table, draws=reference.arrays["noise"][moves])
    reference.compare(f"erm_ddpmnoisy_{kind}_N{steps}", end)


@pytest.mark.parametrize(("kind", "name"), [("uniform", "uniform"), ("quadratic", "quad")])
def test_subsequence_grids_are_the_published_ones(kind, name):
    reference = peers("linear")
    sampler = DDIM(grid=SubsequenceGrid(kind))
    reference.compare(
        f"erm_generalized_{name}_N20_eta0.0", reference.run(sampler.table(reference.sde, 20))
    )


# ---- properties -------------------------------------------------------------------------------


@hypothesis.given(eta=st.floats(0.0, 1.0), nfe=st.integers(1, 12))
def test_every_eta_keeps_the_marginal_of_a_single_data_point(eta, nfe):
    for sde in (VPSDE(), BDM(2)):
        table = DDIM(eta=eta).table(sde, nfe)
        times = DDIM().grid(sde, nfe)
        pull = table.prediction[:, 0] @ np.linalg.inv(sde.root(times[:-1]))
        step = table.state + pull
        spread = step @ sde.covariance(times[:-1]) @ transpose(step)
        if table.noise is not None:
            spread = spread + table.noise @ transpose(table.noise)
        np.testing.assert_allclose(spread, sde.covariance(times[1:]), rtol=1e-6)


@pytest.mark.parametrize("name", [name for name, sde in SDES.items() if sde.components == 1])
def test_eta_one_is_the_reverse_diffusion(name):
    sde = SDES[name]
    ddim, gddim = (s.table(sde, 6) for s in (DDIM(eta=1.0), StochasticGDDIM(lam=1.0)))
    np.testing.assert_allclose(ddim.prediction, gddim.prediction, atol=1e-12)
    np.testing.assert_allclose(ddim.noise, gddim.noise, atol=1e-12)


@pytest.mark.parametrize("name", ["vp", "cld"])
@pytest.mark.parametrize("eta", [0.0, 0.6])
def test_a_bound_that_is_never_reached_changes_nothing(name, eta):
    sde = SDES[name]
    if sde.components > 1 and eta > 0:
        eta = 0.0
    covariance = np.diag([0.3] + [0.0] * (sde.components - 1))
    network, start = gaussian(sde, covariance), sde.covariance(sde.t_max)
    plain, clipped = (
        end_covariance(DDIM(eta=eta, clip=clip).table(sde, 8), sde, network, start)
        for clip in (None, 1e6)
    )
    np.testing.assert_allclose(clipped, plain, atol=1e-9)
    assert per_pixel(sde, plain).max() > 0.1


def test_arguments_are_checked():
    with pytest.raises(ValueError, match=r"`eta` must be in \[0, 1\], received 1.5"):
        DDIM(eta=1.5)
    with pytest.raises(ValueError, match=r"`eta` must be 0 on an SDE of 2 components, .*0.5"):
        DDIM(eta=0.5).table(CLD(), 5)
    with pytest.raises(ValueError, match="`clip` must be None on BDM"):
        DDIM(clip=1.0).table(BDM(4), 5)
    with pytest.raises(ValueError, match=r"DDIM\(eta=0.5\) cannot be inverted here"):
        DDIM(eta=0.5).encode(VPSDE(), 5)
