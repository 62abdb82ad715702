import pathlib

import numpy as np
import pytest
import scipy.spatial
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf.evaluation import frechet_distance, kernel_distance, precision_recall

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "torch_fidelity.npz"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("block_size", [7, 400, 5000])
def test_agrees_with_torch_fidelity(golden, block_size):
    received = precision_recall(golden["real"], golden["fake"], block_size=block_size)
    assert 0.9 < received.precision < 1.0 and 0.5 < received.recall < 0.9
    assert received.precision == pytest.approx(float(golden["precision"]), rel=1e-7)
    assert received.recall == pytest.approx(float(golden["recall"]), rel=1e-7)


@pytest.mark.filterwarnings("ignore:.*few for.*:UserWarning")
def test_distances_agree_with_torch_fidelity(golden):
    real, fake = golden["real"], golden["fake"]
    assert frechet_distance(real, fake) == pytest.approx(float(golden["frechet"]), rel=1e-9)
    assert kernel_distance(real, fake) == pytest.approx(float(golden["kernel"]), rel=1e-9)


def by_definition(rows, support, neighbours):
    """The fraction of rows in the balls, from all distances at once and sorted."""
    within = np.sort(scipy.spatial.distance.cdist(support, support), axis=1)[:, neighbours]
    return np.mean((scipy.spatial.distance.cdist(rows, support) <= within).any(axis=1))


@given(
    counts=st.tuples(st.integers(5, 30), st.integers(5, 30)),
    dimension=st.integers(1, 6),
    neighbours=st.integers(1, 4),
    block_size=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_agrees_with_the_definition(counts, dimension, neighbours, block_size, seed):
    generator = np.random.default_rng(seed)
    real, fake = (generator.normal(size=(count, dimension)) for count in counts)
    received = precision_recall(real, fake, neighbours, block_size)
    assert received.precision == pytest.approx(by_definition(fake, real, neighbours))
    assert received.recall == pytest.approx(by_definition(real, fake, neighbours))
    swapped = precision_recall(fake, real, neighbours, block_size)
    assert swapped == received[::-1]


def test_sets_that_are_equal_or_apart():
    points = np.random.default_rng(0).normal(size=(50, 3))
    assert precision_recall(points, points) == (1.0, 1.0)
    assert precision_recall(points, points + 100.0) == (0.0, 0.0)
    # far from the origin, the same but for rounding
    assert precision_recall(1e6 + points[:25], 1e6 + points[25:]) == precision_recall(
        points[:25], points[25:]
    )


def test_a_missing_mode_lowers_recall_and_noise_lowers_precision():
    generator = np.random.default_rng(0)
    near, far = (generator.normal(size=(100, 2)) + centre for centre in (0.0, 50.0))
    real = np.concatenate([near, far])
    one_mode = precision_recall(real, near)
    assert one_mode.precision == 1.0 and one_mode.recall == 0.5
    outside = np.concatenate([real[:100], generator.normal(size=(100, 2)) - 50.0])
    assert precision_recall(real, outside) == (0.5, 0.5)


def test_bad_arguments_are_named():
    points = np.zeros((5, 2))
    for neighbours in (0, 5):
        with pytest.raises(ValueError, match=f"`neighbours` must be .* the 5 rows .* {neighbours}"):
            precision_recall(points, np.zeros((9, 2)), neighbours)
    with pytest.raises(ValueError, match="`block_size` must be at least 1, received 0"):
        precision_recall(points, points, block_size=0)
    for name in ("neighbours", "block_size"):
        with pytest.raises(TypeError, match=f"`{name}` must be a whole number, received 2.5"):
            precision_recall(points, points, **{name: 2.5})
    with pytest.raises(TypeError, match=r"`block_size` must be a whole number, received 2\.5"):
        kernel_distance(points, points, block_size=2.5)
    with pytest.raises(ValueError, match="`fake_activations` must have the dimension"):
        precision_recall(points, np.zeros((5, 3)))
    with pytest.raises(ValueError, match="`real_activations` must be finite"):
        precision_recall(points + np.nan, points)
