"""The distance to the flow is the sampler's part, whatever the network."""

import numpy as np
import pytest

from benchmarks.papers.cells import Cell
from benchmarks.papers.judging import judged
from benchmarks.papers.ordering import Ordering
from benchmarks.papers.own_flow import OwnFlow
from benchmarks.papers.results import Entry
from gddim_tf.evaluation import extract
from gddim_tf.evaluation.report import Result
from gddim_tf.evaluation.runner import Runner
from gddim_tf.models.generation import Job
from gddim_tf.samplers import DDIM, Euler
from tests.conftest import own_model


def entry(sampler, nfe, seeds=3, count=20):
    """A place whose distances to real images say nothing."""
    cells = tuple(
        Cell(kind="vp", sampler=sampler, nfe=nfe, count=count, seed=seed) for seed in range(seeds)
    )
    told = {"sampler": "", "arguments": "", "nfe": nfe, "spent": nfe, "count": count}
    return Entry(nfe, tuple(Result(**told, measures={"frechet": 1.0}) for _ in cells), cells)


def never(better, worse, factor):
    raise AssertionError("there are several seeds")


@pytest.fixture(scope="module")
def flow(reference, tmp_path_factory):
    model = own_model()
    runner = Runner(model, reference, tmp_path_factory.mktemp("cells"), progress=False)

    def features(cell):
        images = runner.generated(Job(cell.sampler, cell.nfe, cell.count, cell.seed)).images
        return extract(reference.extractor, images, progress=False)

    return OwnFlow("vp", model.sde, features, 40)


def test_the_sampler_that_follows_the_flow_is_nearer_to_it(flow):
    exact, coarse = entry(DDIM(), 20), entry(Euler(), 2)
    again = flow.again(judged(Ordering("t", ("DDIM", 20), ("Euler", 2)), exact, coarse, never))
    assert again.verdict == "held"
    assert np.all(again.better.values("frechet") < again.worse.values("frechet"))
    assert again.better.column == 20
    assert exact.frechet == 1.0  # as it was


def test_seeds_are_measured_one_by_one(flow):
    both = entry(Euler(), 2), entry(Euler(), 2)
    again = flow.again(judged(Ordering("t", ("Euler", 2), ("Euler", 2)), *both, never))
    distances = list(again.better.values("frechet"))
    assert len(set(distances)) == 3
    assert list(again.worse.values("frechet")) == distances


@pytest.mark.parametrize(("count", "verdict"), [(20, "within the spread"), (200, "held")])
def test_one_seed_is_judged_by_its_images(flow, count, verdict):
    sides = (entry(sampler, nfe, 1, count) for sampler, nfe in ((DDIM(), 20), (Euler(), 2)))
    ordering = Ordering("t", ("DDIM", 20), ("Euler", 2))
    first = judged(ordering, *sides, lambda *sides: 0.0)
    assert (first.verdict, flow.again(first).verdict) == ("held", verdict)
