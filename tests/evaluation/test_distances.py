import warnings

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf import evaluation
from gddim_tf.evaluation.distances import label_agreement
from tests.evaluation.references import (
    nuclear_norm_distance,
    relu_activations,
    sample_with_moments,
    scipy_distance,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*(few for|too low).*:UserWarning")


def test_agrees_with_scipy():
    real, fake = relu_activations(400, 64, 1), relu_activations(300, 64, 2, offset=0.3)
    assert evaluation.frechet_distance(real, fake) == pytest.approx(
        scipy_distance(real, fake), rel=1e-8
    )


@pytest.mark.parametrize("counts", [(20, 30), (20, 500), (500, 20), (64, 64)])
def test_agrees_with_nuclear_norm_when_covariances_have_no_full_rank(counts):
    real, fake = relu_activations(counts[0], 64, 1), relu_activations(counts[1], 64, 2)
    assert evaluation.frechet_distance(real, fake) == pytest.approx(
        nuclear_norm_distance(real, fake), rel=1e-7
    )


@pytest.mark.parametrize("scale", [1e-5, 1e-3, 1.0, 1e4])
def test_distance_is_homogeneous_at_any_scale(scale):
    real, fake = relu_activations(200, 64, 1), relu_activations(150, 64, 2)
    expected = scale**2 * nuclear_norm_distance(real, fake)
    assert evaluation.frechet_distance(scale * real, scale * fake) == pytest.approx(
        expected, rel=1e-7
    )


def test_closed_form_of_commuting_gaussians():
    rotation = scipy.stats.special_ortho_group.rvs(6, random_state=0)
    variances = np.array([4.0, 1.0, 0.25, 9.0, 1e-3, 2.0]), np.array([1.0, 1.0, 4.0, 1.0, 0.1, 3.0])
    means = np.zeros(6), np.arange(6.0)
    samples = [
        sample_with_moments(mean, rotation @ np.diag(variance) @ rotation.T, 50, seed)
        for seed, (mean, variance) in enumerate(zip(means, variances, strict=True))
    ]
    expected = np.sum(means[1] ** 2) + np.sum((variances[0] ** 0.5 - variances[1] ** 0.5) ** 2)
    assert evaluation.frechet_distance(*samples) == pytest.approx(expected, rel=1e-9)


@given(
    counts=st.tuples(st.integers(2, 40), st.integers(2, 40)),
    dimension=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_distance_is_symmetric_and_never_negative(counts, dimension, seed):
    generator = np.random.default_rng(seed)
    real, fake = (generator.normal(size=(count, dimension)) for count in counts)
    distance = evaluation.frechet_distance(real, fake)
    assert distance == pytest.approx(evaluation.frechet_distance(fake, real), rel=1e-6, abs=1e-8)
    assert distance == pytest.approx(nuclear_norm_distance(real, fake), rel=1e-6, abs=1e-8)
    assert 0.0 <= evaluation.frechet_distance(real, real) <= 1e-6 * np.sum(real.var(axis=0))


def test_float32_and_tensors_are_computed_in_float64():
    import tensorflow as tf

    real, fake = (relu_activations(100, 16, seed).astype(np.float32) for seed in (1, 2))
    expected = nuclear_norm_distance(real.astype(np.float64), fake.astype(np.float64))
    assert evaluation.frechet_distance(tf.constant(real), fake) == pytest.approx(expected, rel=1e-9)


def test_constant_activations_differ_by_their_means_only():
    real, fake = np.full((5, 3), 1.0), np.full((4, 3), 3.0)
    assert evaluation.frechet_distance(real, fake) == pytest.approx(12.0, rel=1e-12)


def numpy_kernel_distance(real, fake):
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def off_diagonal_mean(matrix):
        return (matrix.sum() - np.trace(matrix)) / (len(matrix) * (len(matrix) - 1))

    within = off_diagonal_mean(kernel(real, real)) + off_diagonal_mean(kernel(fake, fake))
    return within - 2 * kernel(real, fake).mean()


def test_kernel_distance_of_one_block_is_the_unbiased_estimator():
    real, fake = relu_activations(70, 16, 1), relu_activations(50, 16, 2, offset=0.4)
    assert evaluation.kernel_distance(real, fake) == pytest.approx(
        numpy_kernel_distance(real, fake), rel=1e-10
    )


def test_kernel_distance_in_blocks_does_not_depend_on_sorted_rows():
    real, fake = relu_activations(400, 8, 1), relu_activations(400, 8, 2)
    order = np.argsort(real[:, 0])
    # Blocks of the sorted set itself would each be compared with a block of the whole.
    sorted_distance = evaluation.kernel_distance(real[order], fake, block_size=50)
    assert sorted_distance == pytest.approx(numpy_kernel_distance(real, fake), abs=0.01)
    assert evaluation.kernel_distance(real[order], fake, block_size=50) == sorted_distance


@pytest.mark.parametrize(("counts", "block_size"), [((100, 9), 20), ((3, 100), 20), ((8, 8), 1)])
def test_kernel_distance_refuses_blocks_of_less_than_two_rows(counts, block_size):
    real, fake = (relu_activations(count, 4, 1) for count in counts)
    with pytest.raises(ValueError, match=f"`block_size`.*{block_size} for sets of {counts[0]}"):
        evaluation.kernel_distance(real, fake, block_size)


def test_inception_score_of_extremes():
    assert evaluation.inception_score(np.zeros((30, 10))) == pytest.approx(1.0, rel=1e-12)
    sure = 2000.0 * np.tile(np.eye(10), (3, 1))
    assert evaluation.inception_score(sure) == pytest.approx(10.0, rel=1e-12)
    never = np.where(np.arange(11) == 10, -2000.0, np.zeros((30, 11)))
    assert evaluation.inception_score(never) == pytest.approx(1.0, rel=1e-12)


def test_inception_score_agrees_with_numpy():
    logits = 3 * np.random.default_rng(0).normal(size=(200, 7))
    p = scipy.special.softmax(logits, axis=1)
    expected = np.exp(np.mean(np.sum(p * np.log(p / p.mean(axis=0)), axis=1)))
    assert evaluation.inception_score(logits) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("counts", "dimension"), [((200, 100), 8), ((500, 500), 40)])
def test_floor_is_the_mean_distance_between_samples_of_one_gaussian(counts, dimension):
    generator = np.random.default_rng(0)
    deviations = np.exp(-np.linspace(0, 1.5, dimension))
    distances = [
        nuclear_norm_distance(
            *(generator.normal(size=(count, dimension)) * deviations for count in counts)
        )
        for _ in range(60)
    ]
    floor = evaluation.frechet_floor(np.diag(deviations**2), *counts)
    assert floor == pytest.approx(np.mean(distances), rel=0.1)


def test_few_images_are_warned_of_with_the_floor():
    real, fake = relu_activations(60, 16, 1), relu_activations(30, 16, 2)
    floor = evaluation.frechet_floor(np.cov(real, rowvar=False), 60, 30)
    with pytest.warns(UserWarning, match=f"60 real and 30 generated.*16.*{floor:.3g}") as record:
        evaluation.frechet_distance(real, fake)
    assert record[0].filename == __file__


def test_warning_of_inception_score_predicts_its_bias():
    logits = 4 * np.random.default_rng(0).normal(size=(60_000, 10))
    many = np.log(evaluation.inception_score(logits))
    few = []
    with pytest.warns(UserWarning, match=r"50 rows for 10 classes.*too low.*about 4\.\d %"):
        few = [np.log(evaluation.inception_score(rows)) for rows in np.split(logits[:10_000], 200)]
    assert 100 * (1 - np.exp(np.mean(few) - many)) == pytest.approx(4.5, abs=0.7)


def test_many_images_are_not_warned_of():
    real, fake = relu_activations(2048, 4, 1), relu_activations(2048, 4, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        evaluation.frechet_distance(real, fake)
        evaluation.inception_score(real)
        with pytest.raises(UserWarning, match="few"):
            evaluation.frechet_distance(real, fake[:2047])


GOOD = np.random.default_rng(0).normal(size=(5, 3))
HOLED = np.where(np.arange(15).reshape(5, 3) == 7, np.nan, GOOD)


@pytest.mark.parametrize("distance", [evaluation.frechet_distance, evaluation.kernel_distance])
@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (HOLED, GOOD, "`real_activations` must be finite.*1 of 5 rows"),
        (GOOD, HOLED * np.inf, "`fake_activations` must be finite"),
        (GOOD[0], GOOD, r"`real_activations` must have shape \[count, dimension\].*\(3,\)"),
        (GOOD, GOOD[:, :2], "`fake_activations` must have the dimension.* 3, received 2"),
        (GOOD[:1], GOOD, "`real_activations` must have at least two rows, received 1"),
        (GOOD, GOOD[:, :0], r"`fake_activations` must have shape"),
    ],
)
def test_bad_activations_are_refused_by_name(distance, real, fake, message):
    with pytest.raises(ValueError, match=message):
        distance(real, fake)


@pytest.mark.parametrize("logits", [HOLED, GOOD[0], GOOD[:1]])
def test_bad_logits_are_refused_by_name(logits):
    with pytest.raises(ValueError, match="`logits`"):
        evaluation.inception_score(logits)


def test_label_agreement_is_the_share_of_images_with_their_label():
    logits = np.eye(3, dtype=np.float32)[[0, 1, 2, 2, 1]]
    assert label_agreement(logits, [0, 1, 2, 0, 0], 3) == pytest.approx(0.6)
    assert label_agreement(logits, [0] * 5, 10) is None  # of other classes
