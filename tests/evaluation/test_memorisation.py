import pathlib

import numpy as np
import pytest

from gddim_tf.data.pixels import as_uint8
from gddim_tf.evaluation import DigitsFeatures, memorisation_report
from gddim_tf.evaluation.reference import Reference
from gddim_tf.models.generation import even_labels
from gddim_tf.serving import ServedModel


def images(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 4, 4, 1))


def test_without_held_out_images_the_training_images_are_left_out_one_by_one():
    training = images(5000, 0)
    report = memorisation_report(images(500, 1), np.concatenate([training, training]))
    assert len(report.held_out_distances) <= 2000
    assert report.median_ratio == pytest.approx(1, abs=0.03)
    assert report.close_fraction == pytest.approx(0.05, abs=0.03)
    assert "training images left out one by one" in report.verdict
    assert memorisation_report(training[:500], training).median_ratio == 0
    with pytest.raises(ValueError, match="`training` must hold different images"):
        memorisation_report(training[:2], training[:1].repeat(3, axis=0))


def test_fresh_samples_show_no_memorisation():
    report = memorisation_report(images(400, 0), images(1000, 1), images(300, 2))
    assert report.median_ratio == pytest.approx(1.0, abs=0.05)
    assert report.close_fraction == pytest.approx(0.05, abs=0.04)
    assert report.verdict.startswith("No sign of memorisation")


def test_copies_are_found_and_listed_nearest_first():
    training, generated = images(1000, 1), images(400, 0)
    copies = np.arange(100, 114)
    shifts = 1e-3 * np.arange(1, 15).reshape(-1, 1, 1, 1)
    generated[copies] = training[copies + 500] + shifts
    report = memorisation_report(generated, training, images(300, 2))
    np.testing.assert_array_equal(
        report.closest_pairs, np.stack([copies[:10], copies[:10] + 500], axis=1)
    )
    np.testing.assert_allclose(report.generated_distances[copies], 4 * shifts.ravel(), rtol=1e-9)
    assert report.verdict.startswith("14 of 400 generated images are all but copies")

    report = memorisation_report(training[:400] + 0.01, training, images(300, 2))
    assert report.median_ratio < 0.1
    assert report.close_fraction == 1.0
    assert report.verdict.startswith("The model repeats its training images")


def test_many_near_images_are_more_than_chance():
    training, generated = images(1000, 1), images(400, 0)
    generated[:60] = training[:60] + 0.3
    report = memorisation_report(generated, training, images(300, 2))
    assert 0.15 < report.close_fraction < 0.3
    assert report.verdict.startswith("More generated images lie near training images than chance")
    assert f"{100 * report.close_fraction:.1f} %" in report.verdict


def test_few_images_give_few_pairs():
    report = memorisation_report(images(3, 0), images(20, 1), images(5, 2))
    assert report.closest_pairs.shape == (3, 2)


GOOD = images(5, 0)
HOLED = np.where(np.arange(80).reshape(GOOD.shape) == 7, np.nan, GOOD)


@pytest.mark.parametrize(
    ("generated", "training", "held_out", "message"),
    [
        (HOLED, GOOD, GOOD, "`generated` must be finite"),
        (GOOD, HOLED, GOOD, "`training` must be finite"),
        (GOOD, GOOD, HOLED, "`held_out` must be finite"),
        (GOOD[:0], GOOD, GOOD, "`generated` must have shape"),
        (GOOD, GOOD[..., 0, 0], GOOD, r"`generated` must have the shape .*\(4,\).*\(4, 4, 1\)"),
        (GOOD, GOOD, GOOD, "`held_out` must be images that the model has not seen"),
    ],
)
def test_bad_sets_are_refused_by_name(generated, training, held_out, message):
    with pytest.raises(ValueError, match=message):
        memorisation_report(generated, training, held_out)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vp", "cld", "bdm"])
def test_the_models_that_come_with_the_package_do_not_memorise(kind):
    path = pathlib.Path(__file__).parents[2] / "saved_models" / f"digits_{kind}"
    model = ServedModel(path)
    drawn = as_uint8(model.sample(300, nfe=10, labels=even_labels(model, 300)))
    report = Reference("digits", DigitsFeatures(), 8).memorisation(drawn)
    assert report.verdict.startswith("No sign of memorisation"), report.verdict
    assert 0.9 < report.median_ratio < 1.3
