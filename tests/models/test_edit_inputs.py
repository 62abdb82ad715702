"""What edits, restorations and guidance refuse, each with a sentence that names the argument."""

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.models import guidance
from gddim_tf.models.guidance import Guidance, Interval
from gddim_tf.models.operators import Downsample, Grey, Linear, Mask
from gddim_tf.samplers import DynamicThreshold, RePaint
from tests.conftest import own_model

IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)
UPPER = np.arange(8)[:, None] * np.ones((1, 8)) < 4


@pytest.fixture(scope="module")
def model():
    return own_model()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (UPPER * np.uint8(255), "received uint8 of shape .*, values from 0 to 255"),
        (UPPER * 0.5, "received float64 of shape .*, values from 0 to 0.5"),
        (UPPER * np.nan, "received float64 of shape"),
        ("mask.png", "received str"),
        (None, r"received object of shape \(\)"),
        ([[1], [1, 0]], "`mask` must be an array, received list"),
        (np.ones((8, 8, 3)), r"`mask` must be \(8, 8\), .*, received \(8, 8, 3\)"),
        (np.ones((9, 8)), r"`mask` must be \(8, 8\), .*, received \(9, 8\)"),
    ],
)
def test_masks(model, mask, message):
    with pytest.raises(ValueError, match=message) as refused:
        model.inpaint(IMAGES, mask, nfe=1)
    assert "`mask`" in str(refused.value)


def test_unknown_pixels_may_be_anything(model):
    holes = np.where(UPPER[..., None], IMAGES, np.nan)
    filled = model.inpaint(holes, UPPER, nfe=1)
    np.testing.assert_array_equal(filled, model.inpaint(IMAGES, UPPER, nfe=1))
    holes[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="`images` must be finite, received NaN or Inf"):
        model.inpaint(holes, UPPER, nfe=1)
    with pytest.raises(ValueError, match=r"`images` must be in .* received pixels up to"):
        model.inpaint(255 * IMAGES, UPPER, nfe=1)


@pytest.mark.parametrize(
    ("measurement", "operator", "error", "message"),
    [
        (IMAGES, Mask(np.ones((4, 4))), ValueError, r"`mask` must be of the size .* \(8, 8, 1\)"),
        (IMAGES, Mask(np.ones((3, 8, 8, 1))), ValueError, "`operator` must do the same to every"),
        (IMAGES, Grey(), ValueError, "`weights` must be one for each of 1 channels, received 3"),
        (IMAGES, Downsample(3), ValueError, "`factor` must divide the sides"),
        (IMAGES, Downsample, TypeError, "`operator` must be a LinearOperator, received ABCMeta"),
        (np.nan * IMAGES, Downsample(1), ValueError, "must be float and finite, received NaN"),
        (IMAGES > 0, Downsample(1), ValueError, "must be float and finite, received bool"),
        (
            IMAGES[:, :4],
            Linear(lambda x: x[:, :4], adjoint=lambda y: y[:, :2]),
            ValueError,
            r"`apply` back to \(.*4, 8, 1\), received \(.*2, 8, 1\)",
        ),
        (
            IMAGES,
            Linear(lambda _: None, adjoint=tf.identity),
            TypeError,
            "`apply` of `operator` must give one tensor, received None",
        ),
        (
            IMAGES,
            Linear(lambda x: np.asarray(x), adjoint=tf.identity),
            TypeError,
            "`operator` must be made of TensorFlow's operations",
        ),
    ],
    ids=lambda value: "" if isinstance(value, np.ndarray) else None,
)
def test_measurements(model, measurement, operator, error, message):
    with pytest.raises(error, match=message):
        model.restore(measurement, operator, nfe=1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Grey("abc"), ValueError, "`weights` must be one per channel, received abc"),
        (lambda: Grey((np.nan, 1.0, 1.0)), ValueError, "`weights` must be finite"),
        (lambda: Linear(3, tf.identity), TypeError, "`apply` must be a function, received 3"),
        (lambda: Linear(abs, "T"), TypeError, "`adjoint` must be a function, received 'T'"),
        (lambda: Interval(3, 1), ValueError, "`high` must be above `low`, 3, received 1"),
        (lambda: Interval(0, "x"), TypeError, "`high` must be a number, received 'x'"),
        (lambda: Interval(0, None), TypeError, "`high` must be a number, received None"),
        (lambda: Guidance(2.0, 3), TypeError, "`schedule` must be None or one such as .* 3"),
        (lambda: Guidance(2.0, by="x"), TypeError, "`by` must be Unlabelled.*, received 'x'"),
        (lambda: Guidance(by=guidance.Worse), TypeError, "`by` must be .*, received <class"),
        (lambda: guidance.Worse(None), TypeError, "`model` must be a GenerativeModel, .* None"),
        (lambda: guidance.Classifier(3, 2), TypeError, "`log_prob` must be a function"),
        (lambda: guidance.Classifier(abs, "2"), TypeError, "`num_classes` must be a whole number"),
        (lambda: DynamicThreshold("a"), TypeError, "`ratio` must be a number, received 'a'"),
        (lambda: RePaint(lam="a"), TypeError, "`lam` must be a number, received 'a'"),
    ],
)
def test_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_classifier_that_returns_nothing(model):
    towards = guidance.Classifier(lambda *_: None, 2)
    with pytest.raises(TypeError, match=r"`log_prob` must return a tensor .*, received NoneType"):
        model.sample(1, nfe=1, labels=1, guidance=Guidance(2.0, by=towards))
