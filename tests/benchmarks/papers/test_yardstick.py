"""What chance may do to a gap between two places is told from the images of one seed."""

import numpy as np
import pytest

from benchmarks.papers.cells import Cell
from benchmarks.papers.yardstick import GROUPS, Yardstick
from gddim_tf.evaluation import ActivationStatistics, frechet_distance
from gddim_tf.evaluation.reference import quietly
from gddim_tf.samplers import DDIM

DIMENSION = 4
RANDOM = np.random.default_rng(7)
REAL = RANDOM.normal(size=(4000, DIMENSION))


def cell(nfe, seed=0):
    return Cell(kind="vp", sampler=DDIM(), nfe=nfe, count=200, seed=seed)


def drawn(cell):
    """Features of images that start from the noise of a seed; fewer evaluations blur them."""
    noise = np.random.default_rng(cell.seed).normal(size=(cell.count, DIMENSION))
    return noise * (1 - 1 / cell.nfe)


@pytest.fixture
def yardstick():
    return Yardstick(lambda: ActivationStatistics.of(REAL), drawn)


def test_the_distance_is_frechets(yardstick):
    expected = quietly(frechet_distance, REAL, drawn(cell(5)))
    assert yardstick.distance(cell(5)) == pytest.approx(expected, rel=1e-9)


def test_a_distance_is_measured_once():
    asked = []

    def features(cell):
        asked.append(cell)
        return drawn(cell)

    yardstick = Yardstick(lambda: ActivationStatistics.of(REAL), features)
    assert yardstick.distance(cell(5)) == yardstick.distance(cell(5))
    assert asked == [cell(5)]


def test_the_error_is_that_of_many_seeds(yardstick):
    gaps = [
        yardstick.distance(cell(3, seed)) - yardstick.distance(cell(6, seed)) for seed in range(60)
    ]
    errors = [yardstick.gap_error(cell(6, seed), cell(3, seed)) for seed in range(60)]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(gaps, ddof=1), rel=0.25)


def test_equal_sides_have_no_error(yardstick):
    assert yardstick.gap_error(cell(6), cell(6)) == 0
    assert yardstick.gap_error(cell(6), cell(6), 1.25) > 0


def test_the_same_images_are_left_out_on_both_sides(yardstick):
    paired = yardstick.gap_error(cell(6, 1), cell(5, 1))
    assert paired < yardstick.gap_error(cell(6, 1), cell(5, 2)) / 2


def test_labels_that_follow_the_numbers_of_images_leave_out_no_class():
    """A tenth by turns would be one class of ten: here the one that makes all of the gap."""

    def poor_in_a_class(cell):
        features = np.random.default_rng(cell.seed).normal(size=(cell.count, DIMENSION))
        features[:: GROUPS if cell.nfe == 3 else cell.count] += 3.0
        return features

    yardstick = Yardstick(lambda: ActivationStatistics.of(REAL), poor_in_a_class)
    better, worse = cell(6), cell(3)
    gap = yardstick.distance(worse) - yardstick.distance(better)
    assert 0 < yardstick.gap_error(better, worse) < gap / 2
