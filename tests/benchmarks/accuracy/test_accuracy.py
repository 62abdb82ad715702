import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.accuracy import document
from benchmarks.accuracy.cases import NFES, ON_NETWORKS, PUBLISHED, SAMPLERS, mixtures, trained
from benchmarks.accuracy.command import measured
from benchmarks.accuracy.networks import Network
from benchmarks.accuracy.problems import Problem
from gddim_tf.samplers import DDIM
from gddim_tf.sdes import VPSDE
from tests.conftest import own_model
from tests.oracles import Mixture


@dataclasses.dataclass
class Counted:
    """A problem whose error is the budget's inverse, and how often it was measured."""

    sde: VPSDE
    asked: int = 0

    def error(self, table):
        self.asked += 1
        return 1 / table.nfe


def test_what_was_measured_is_kept(tmp_path):
    problem = Counted(VPSDE())
    errors = measured(lambda: problem, tuple(SAMPLERS), tmp_path / "kept")
    assert set(errors) == set(SAMPLERS)
    assert errors["DDIM"] == {nfe: 1 / nfe for nfe in NFES}
    assert 4 not in errors["F-PNDM"]
    once = problem.asked
    assert measured(lambda: problem, tuple(SAMPLERS), tmp_path / "kept") == errors
    assert problem.asked == once


def test_the_share_of_the_default_is_that_of_the_best_other():
    rows = {"default": {3: 0.2, 5: 0.1}, "a": {3: 0.4, 5: 0.05}, "b": {3: 0.8}}
    assert document.shares(rows) == {3: 0.5, 5: 2.0}
    page = document.text({"problem": rows, "other": {**rows, "default": {3: 0.44}}})
    assert "| default over the best other | 0.5 | - | 2 |" in page
    assert "The default is above 1.1 of the best other on: problem at 5 (2). " in page


def test_mixtures_and_networks_are_problems():
    kinds = ("bdm", "cld", "vp")
    assert set(trained()) == {f"{data}_{kind}" for data in ("digits", "fashion") for kind in kinds}
    assert set(PUBLISHED) <= set(mixtures())
    assert set(ON_NETWORKS) <= set(SAMPLERS)


def test_the_error_of_a_mixture_is_the_distance_to_its_exact_flow():
    """On a point DDIM is exact, and elsewhere its error is that to `known_end`."""
    data = Mixture.gaussian(VPSDE(), np.array([0.5]), 1e-12)
    start = np.random.default_rng(0).standard_normal((4, 1))
    table = DDIM().table(data.sde, 4)
    exact = Problem(data.sde, data, start)
    assert exact.error(table) < 1e-5
    assert Problem(data.sde, data, start, exact.end + 1.0).error(table) == pytest.approx(1.0)


def test_the_error_of_a_network_is_the_distance_to_its_fine_images():
    model = own_model()
    table = DDIM().table(model.sde, 3)
    start = model.sde.prior(model.image_shape, tf.constant([[0, 0], [0, 1]]))
    fine = model.sample(2, sampler=DDIM(), nfe=3) + np.array([0.3, 0.4])[:, None, None, None]
    problem = Network(model, start, {}, fine)
    np.testing.assert_allclose(problem.errors(table), [0.3, 0.4], rtol=1e-4)
    assert problem.error(table) == pytest.approx(np.sqrt(0.125), rel=1e-4)
