import dataclasses
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf import evaluation
from gddim_tf.evaluation import ActivationStatistics, Provenance
from tests.evaluation.references import (
    nuclear_norm_distance,
    relu_activations,
    scipy_distance,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*few for.*:UserWarning")

PROVENANCE = Provenance("digits", "train", 40, "digits-01234567", "none")


def gathered(activations, *splits):
    statistics = ActivationStatistics(activations.shape[1])
    for batch in np.split(activations, splits):
        statistics.update(batch)
    return statistics


@given(splits=st.lists(st.integers(0, 60), max_size=8), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_any_batches_give_the_moments_of_the_whole(splits, seed):
    activations = relu_activations(60, 5, seed) + 100.0
    statistics = gathered(activations, *sorted(splits))
    assert statistics.count == 60
    np.testing.assert_allclose(statistics.mean, activations.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(
        statistics.covariance, np.cov(activations, rowvar=False), rtol=1e-9, atol=1e-13
    )


def test_large_means_do_not_drown_the_covariance():
    activations = relu_activations(500, 4, 0)
    statistics = gathered(activations + 1e6, *range(0, 500, 7))
    expected = np.cov(activations, rowvar=False)
    np.testing.assert_allclose(statistics.covariance, expected, rtol=1e-7, atol=1e-9)


@given(cut=st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_merged_statistics_are_those_of_all(cut):
    activations = relu_activations(50, 6, 3)
    left, right = gathered(activations[:cut]), gathered(activations[cut:])
    left.merge(right)
    whole = gathered(activations)
    assert left.count == whole.count
    np.testing.assert_allclose(left.mean, whole.mean, rtol=1e-13)
    np.testing.assert_allclose(left.covariance, whole.covariance, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("counts", [(400, 300), (30, 40), (300, 20)])
@pytest.mark.parametrize("scale", [1e-4, 1.0])
def test_distance_is_that_of_the_activations(counts, scale):
    real, fake = (scale * relu_activations(n, 64, seed) for seed, n in enumerate(counts))
    distance = evaluation.frechet_distance_from_statistics(gathered(real, 10), gathered(fake, 15))
    # without full rank, roots of eigenvalues that are zero but for rounding are known to about 1e-8
    rel = 1e-8 if min(counts) > 64 else 1e-7
    assert distance == pytest.approx(evaluation.frechet_distance(real, fake), rel=rel)
    assert distance == pytest.approx(nuclear_norm_distance(real, fake), rel=1e-7)


def test_distance_agrees_with_scipy():
    real, fake = relu_activations(400, 64, 1), relu_activations(300, 64, 2)
    distance = evaluation.frechet_distance_from_statistics(gathered(real), gathered(fake))
    assert distance == pytest.approx(scipy_distance(real, fake), rel=1e-8)
    assert 0.0 <= evaluation.frechet_distance_from_statistics(gathered(real), gathered(real)) < 1e-9


@pytest.mark.slow
def test_inception_sized_distance_agrees_with_scipy():
    real, fake = relu_activations(5000, 2048, 1), relu_activations(4000, 2048, 2)
    distance = evaluation.frechet_distance_from_statistics(gathered(real, 2500), gathered(fake))
    assert distance == pytest.approx(scipy_distance(real, fake), rel=1e-6)


@pytest.mark.slow
def test_inception_sized_distance_of_few_images():
    real, fake = relu_activations(700, 2048, 1), relu_activations(500, 2048, 2)
    expected = nuclear_norm_distance(real, fake)
    distance = evaluation.frechet_distance_from_statistics(gathered(real, 300), gathered(fake))
    assert distance == pytest.approx(expected, rel=1e-6)
    assert evaluation.frechet_distance(real, fake) == pytest.approx(expected, rel=1e-6)


def test_few_images_are_warned_of_with_the_floor():
    real, fake = gathered(relu_activations(60, 16, 1)), gathered(relu_activations(90, 16, 2))
    floor = evaluation.frechet_floor(fake.covariance, 60, 90)
    with pytest.warns(UserWarning, match=f"60 real and 90 generated.*16.*{floor:.3g}") as record:
        evaluation.frechet_distance_from_statistics(real, fake)
    assert record[0].filename == __file__


def test_saved_statistics_come_back_and_go_on(tmp_path):
    activations = relu_activations(60, 8, 0)
    statistics = gathered(activations[:40])
    statistics.save(tmp_path / "digits.npz", PROVENANCE)
    loaded = ActivationStatistics.load(tmp_path / "digits.npz", PROVENANCE)
    assert loaded.provenance == PROVENANCE
    assert loaded.count == 40
    np.testing.assert_array_equal(loaded.mean, statistics.mean)
    np.testing.assert_array_equal(loaded.covariance, statistics.covariance)
    loaded.update(activations[40:])
    assert loaded.provenance is None
    np.testing.assert_allclose(loaded.covariance, np.cov(activations, rowvar=False), atol=1e-13)
    assert [file.name for file in tmp_path.iterdir()] == ["digits.npz"]


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("data_set", "cifar10"),
        ("split", "test"),
        ("number", 41),
        ("extractor", "digits-76543210"),
        ("resize", "bilinear-tf1-299"),
    ],
)
def test_other_provenance_is_refused_by_field(tmp_path, field, asked):
    gathered(relu_activations(40, 8, 0)).save(tmp_path / "digits.npz", PROVENANCE)
    expected = dataclasses.replace(PROVENANCE, **{field: asked})
    found = getattr(PROVENANCE, field)
    with pytest.raises(ValueError) as error:
        ActivationStatistics.load(tmp_path / "digits.npz", expected)
    assert str(error.value).endswith(
        f"other statistics: `{field}` is {found!r}, asked for {asked!r}"
    )


@pytest.mark.parametrize("field", ["extractor", "resize"])
def test_statistics_of_other_features_are_not_compared(tmp_path, field):
    paths = tmp_path / "real.npz", tmp_path / "fake.npz"
    statistics = gathered(relu_activations(40, 8, 0))
    statistics.save(paths[0], PROVENANCE)
    statistics.save(paths[1], dataclasses.replace(PROVENANCE, **{field: "other"}))
    real, fake = (ActivationStatistics.load(path) for path in paths)
    with pytest.raises(ValueError, match=f"`{field}` is 'other'"):
        evaluation.frechet_distance_from_statistics(real, fake)


def test_number_must_be_the_count(tmp_path):
    with pytest.raises(ValueError, match=r"`provenance.number`.* 39, received 40"):
        gathered(relu_activations(39, 8, 0)).save(tmp_path / "digits.npz", PROVENANCE)
    with pytest.raises(ValueError, match=r"`path` must end in .npz"):
        gathered(relu_activations(40, 8, 0)).save(tmp_path / "digits", PROVENANCE)
    assert list(tmp_path.iterdir()) == []


def truncated(path):
    gathered(relu_activations(40, 8, 0)).save(path, PROVENANCE)
    path.write_bytes(path.read_bytes()[:700])


def array_alone(path):
    with path.open("wb") as file:
        np.save(file, np.eye(3))


def other_arrays(path):
    np.savez(path, mu=np.zeros(3), sigma=np.eye(3))


def unequal_shapes(path):
    gathered(relu_activations(40, 8, 0)).save(path, PROVENANCE)
    with np.load(path) as file:
        np.savez(path, **{**file, "scatter": np.eye(7)})


def negative_scatter(path):
    gathered(relu_activations(40, 8, 0)).save(path, PROVENANCE)
    with np.load(path) as file:
        np.savez(path, **{**file, "scatter": -file["scatter"]})


def other_provenance(path):
    np.savez(path, mean=np.zeros(1), scatter=np.eye(1), provenance='{"source": "web"}')


@pytest.mark.parametrize(
    "spoil",
    [truncated, array_alone, other_arrays, unequal_shapes, other_provenance, negative_scatter],
)
def test_damaged_files_are_refused(tmp_path, spoil):
    path = tmp_path / "bad.npz"
    spoil(path)
    with pytest.raises(
        ValueError, match=r"bad.npz (is|must be a file of activation statistics, and is) damaged"
    ):
        ActivationStatistics.load(path)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_pickles_are_not_opened(tmp_path):
    trap = np.array(Trap(tmp_path / "sprung"), dtype=object)
    np.savez(tmp_path / "bad.npz", mean=trap, scatter=np.eye(1), provenance="{}")
    with pytest.raises(
        ValueError, match=r"bad.npz must be a file of activation statistics, and is damaged"
    ):
        ActivationStatistics.load(tmp_path / "bad.npz")
    assert not (tmp_path / "sprung").exists()


def test_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        ActivationStatistics.load(tmp_path / "none.npz")


def test_bad_batches_change_nothing():
    statistics = gathered(relu_activations(10, 3, 0))
    before = statistics.count, statistics.mean, statistics.covariance
    for batch in (np.full((2, 3), np.nan), np.zeros((2, 4)), np.zeros(3)):
        with pytest.raises(ValueError, match="`activations`"):
            statistics.update(batch)
    with pytest.raises(ValueError, match="`other` must have dimension 3, received 2"):
        statistics.merge(ActivationStatistics(2))
    assert statistics.count == before[0]
    np.testing.assert_array_equal(statistics.mean, before[1])
    np.testing.assert_array_equal(statistics.covariance, before[2])


def test_too_few_images_and_unequal_dimensions_are_refused():
    one = gathered(relu_activations(1, 3, 0))
    three = gathered(relu_activations(3, 3, 0))
    with pytest.raises(ValueError, match="at least two images, received 1"):
        evaluation.frechet_distance_from_statistics(three, one)
    with pytest.raises(ValueError, match="`fake` must have the dimension of `real`, 3, received 4"):
        evaluation.frechet_distance_from_statistics(three, gathered(relu_activations(5, 4, 0)))
    with pytest.raises(ValueError, match="`dimension` must be at least 1, received 0"):
        ActivationStatistics(0)
