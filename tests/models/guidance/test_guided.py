import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.models import GenerativeModel
from gddim_tf.models.clean_image import CleanImage
from gddim_tf.models.guidance import (
    Classifier,
    Cosine,
    Guidance,
    Interval,
    Linear,
    Unlabelled,
    Worse,
)
from gddim_tf.models.operators import Mask
from gddim_tf.models.restoration import Restoration
from gddim_tf.samplers import DDIM, RK45
from gddim_tf.sdes import CLD, VPSDE
from tests.models.normal_data import NormalImages
from tests.sdes import cases

SHAPE = (1, 2, 1)
CENTRES = np.array([[0.8, 0.1], [-0.5, 0.4]])


class Two(GenerativeModel):
    """Two classes of independent normal pixels of deviation 0.3, and both at once without one."""

    def __init__(self, sde, num_classes=2):
        self.sde, self.image_shape, self.num_classes = sde, SHAPE, num_classes
        self.parts = [NormalImages(sde, SHAPE, c.reshape(SHAPE), 0.09) for c in CENTRES]

    def fingerprint(self):
        return "two"

    def log_probs(self, u, t):
        """`log p(u | class)` up to a constant of both, `[batch, 2]`."""
        signal, root = self.sde.kernel(t)
        signal = signal[..., :, :1]
        covariance = 0.09 * signal @ tf.linalg.matrix_transpose(signal)
        covariance += root @ tf.linalg.matrix_transpose(root)
        inverse, values = tf.linalg.inv(covariance), []
        for centre in CENTRES:
            away = u - self.sde.apply(
                signal, tf.ones_like(u[..., :1]) * tf.constant(centre.reshape(SHAPE), u.dtype), True
            )
            product = away * self.sde.apply(inverse, away, batched=True)
            values.append(-0.5 * tf.reduce_sum(product, axis=(1, 2, 3)))
        return tf.stack(values, 1)

    def eps(self, u, t, labels=None):
        each = tf.stack([part.eps(u, t) for part in self.parts], 1)
        share = tf.nn.softmax(self.log_probs(u, t))
        if labels is not None:
            share = tf.where(labels[:, None] < 2, tf.one_hot(labels, 2, dtype=u.dtype), share)
        return tf.reduce_sum(each * share[:, :, None, None, None], 1)


class Counting(GenerativeModel):
    """A model that only counts what it is asked."""

    sde, image_shape, num_classes = VPSDE(), SHAPE, 2

    def __init__(self):
        self.rows, self.evaluations = tf.Variable(0), tf.Variable(0)

    def fingerprint(self):
        return "counting"

    def eps(self, u, t, labels=None):
        self.rows.assign_add(tf.shape(u)[0])
        self.evaluations.assign_add(1)
        return 0.1 * tf.cast(labels, u.dtype)[:, None, None, None] * u


def asked(sde, time, count=4):
    shape = (count, *SHAPE[:-1], sde.components)
    u = tf.random.stateless_normal(shape, (0, 1), dtype=tf.float64)
    return u, tf.fill([count], tf.constant(time * sde.t_max, tf.float64))


@pytest.mark.parametrize("name", ["vp", "cld", "ve", "third_order"])
@pytest.mark.parametrize("time", [0.1, 0.6])
def test_the_exact_classifier_makes_the_model_of_a_class_from_that_of_all(name, time):
    """Bayes' rule, with weight 1; and classifier-free guidance has the same eps at any weight."""
    sde = cases.sde(name)
    model, labels = Two(sde), tf.constant([0, 1, 1, 0])
    u, t = asked(sde, time)

    def log_prob(u, t, labels):
        return tf.gather(tf.nn.log_softmax(model.log_probs(u, t)), labels, batch_dims=1)

    unconditional = Two(sde, num_classes=0)
    guided = Guidance(by=Classifier(log_prob, 2)).eps_fn(unconditional)
    free = Guidance().eps_fn(model)
    for weight in (0.0, 1.0, 2.5):
        w = tf.fill([4], tf.constant(weight, tf.float64))
        expected = free(u, t, labels, guidance=w)
        np.testing.assert_allclose(guided(u, t, labels, guidance=w), expected, atol=1e-8)
    with_label, without = model.eps(u, t, labels), model.eps(u, t)
    np.testing.assert_allclose(expected, without + 2.5 * (with_label - without), atol=1e-10)


def test_a_model_that_does_not_know_the_label_is_a_worse_one():
    sde, labels = VPSDE(), tf.constant([0, 1, 1, 0])
    model, worse = Two(sde), Two(sde, num_classes=0)
    u, t = asked(sde, 0.5)
    w = tf.fill([4], tf.constant(3.0, tf.float64))
    np.testing.assert_allclose(
        Guidance(by=Worse(worse)).eps_fn(model)(u, t, labels, guidance=w),
        Guidance().eps_fn(model)(u, t, labels, guidance=w),
        atol=1e-10,
    )
    assert Worse(worse).weights() == ()  # it has no network that an export could keep
    images = model.sample(2, nfe=3, guidance=Guidance(2.0, by=Worse(worse)))  # labels or not
    np.testing.assert_allclose(images, model.sample(2, nfe=3), atol=1e-5)


@pytest.mark.parametrize("method", ["pigdm", "dps"])
@pytest.mark.parametrize("name", ["vp", "cld", "bdm_odd"])
def test_a_classifier_of_clean_images_that_measures_restores(name, method):
    sde = cases.sde(name)
    shape = (5, 5, 1) if name == "bdm_odd" else SHAPE
    model = NormalImages(sde, shape, 0.2, 0.5)
    u = tf.random.stateless_normal((3, *shape[:-1], sde.components), (0, 1), dtype=tf.float64)
    t = tf.fill([3], tf.constant(0.4 * sde.t_max, tf.float64))
    known = tf.random.stateless_normal((3, *shape), (0, 2), dtype=tf.float64)
    restoration = Restoration(model.eps, sde, Mask(np.ones(shape[:2])), method)
    noise_std = tf.fill([3], tf.constant(0.3, tf.float64))
    expected = restoration(u, t, measurement=known, noise_std=noise_std)
    variance = 0.09 + CleanImage(sde, u, t, u).variance(1.0)

    def log_prob(images, labels):
        square = tf.reduce_sum((images - known) ** 2, axis=(1, 2, 3))
        if method == "pigdm":
            return -0.5 * square / variance
        return -tf.sqrt(np.prod(shape) * square / variance)

    guided = Guidance(by=Classifier(log_prob, 1, clean=True)).eps_fn(model)
    got = guided(u, t, tf.zeros([3], tf.int32), guidance=tf.ones([3], tf.float64))
    np.testing.assert_allclose(got, expected, atol=1e-8)


def test_only_evaluations_that_are_guided_double_their_batch():
    model, options = Counting(), {"sampler": DDIM(), "nfe": 8, "labels": [0, 1, 1]}
    sde, times = model.sde, DDIM().table(model.sde, 8).time
    low, high = sde.rho(times[[6, 2]])
    for guidance, expected in (
        (None, 8 * 3),
        (1.0, 8 * 3),
        (2.0, 16 * 3),
        (Guidance(2.0, Interval(low, high)), (8 + 4) * 3),
        (Guidance(2.0, Linear()), (16 - 1) * 3),
    ):
        model.rows.assign(0)
        model.evaluations.assign(0)
        model.sample(3, guidance=guidance, **options)
        assert (int(model.rows), int(model.evaluations)) == (expected, 8), guidance


def test_shares_of_an_interval_are_guided_alone():
    """The rows inside are those of the guided model, the others those of the plain one."""
    model = Counting()
    table = DDIM().table(model.sde, 4)
    inside = Guidance(3.0, Interval(*model.sde.rho(table.time[[3, 1]])))
    assert list(inside.table(model.sde, table).guidance) == [0, 1, 1, 0]
    u = model.path(2, DDIM(), 4, labels=1, guidance=inside)
    for i, weight in enumerate((1.0, 3.0, 3.0, 1.0)):
        state = tf.constant(u[i])
        labels, t = tf.constant([1, 1]), tf.fill([2], np.float32(table.time[i]))
        eps = model.guided_eps(state, t, labels, tf.fill([2], weight))
        step = table.state[i] * state + table.prediction[i, 0] * eps
        np.testing.assert_allclose(u[i + 1], step, atol=1e-5)


@pytest.mark.parametrize("name", ["vp", "cld", "karras", "flow"])
def test_schedules(name):
    sde = cases.sde(name)
    times = DDIM().table(sde, 50).time
    ends = np.array([sde.t_max, sde.time_of_rho(np.array(0.0))])
    np.testing.assert_allclose(Linear()(sde, ends), [0, 1], atol=1e-3)
    np.testing.assert_allclose(Cosine(1.0, 0.5)(sde, ends), [1, 0.5], atol=1e-3)
    for schedule in (Linear(), Cosine()):
        assert np.all(np.diff(schedule(sde, times)) > 0)
    progress = Linear()(sde, times)
    np.testing.assert_allclose(Cosine()(sde, times), np.sin(np.pi * progress / 2) ** 2)
    rho = sde.rho(times)
    np.testing.assert_array_equal(Interval(0.5, 3)(sde, times), (rho > 0.5) & (rho <= 3))


@pytest.mark.parametrize("rescale", [0.7, 1.0])
def test_rescaling_is_that_of_the_paper(rescale):
    model, labels = Two(CLD()), tf.constant([0, 1, 1, 0])
    u, t = asked(model.sde, 0.5)
    w = tf.fill([4], tf.constant(4.0, tf.float64))
    got = Guidance(rescale=rescale).eps_fn(model)(u, t, labels, guidance=w).numpy()
    guided = Guidance().eps_fn(model)(u, t, labels, guidance=w).numpy()
    plain = model.eps(u, t, labels).numpy()
    ratio = plain.std((1, 2, 3)) / guided.std((1, 2, 3))
    rescaled = guided * ratio[:, None, None, None]
    np.testing.assert_allclose(got, rescale * rescaled + (1 - rescale) * guided, atol=1e-10)


def test_guidance_is_checked():
    model, other = Two(VPSDE()), Two(CLD())
    for call, message in (
        (lambda: Guidance(float("nan")), "`guidance` must be finite"),
        (lambda: Guidance(rescale=1.5), "`rescale` must be finite, at least 0 and at most 1"),
        (lambda: Interval(2.0, 1.0), "`high` must be above `low`, 2.0, received 1.0"),
        (lambda: Linear(-1.0), "`start` must be finite, at least 0"),
        (lambda: model.sample(1, guidance=2.0), "`labels` must be given with `guidance`"),
        (
            lambda: model.sample(1, guidance=Guidance(2.0, by=Worse(other))),
            "the worse model must be of images .* on VPSDE.* received .* on CLD",
        ),
        (
            lambda: model.sample(1, RK45(), labels=0, guidance=Guidance(2.0, Linear())),
            "`guidance` must have no schedule with RK45",
        ),
        (
            lambda: Two(VPSDE(), 0).sample(
                1, labels=7, guidance=Guidance(by=Classifier(lambda u, t, y: u[:, 0, 0, 0], 3))
            ),
            r"`labels` must be in \[0, 2\] for this classifier, received 7 to 7",
        ),
        (
            lambda: Two(VPSDE(), 0).sample(
                1, labels=1, guidance=Guidance(by=Classifier(lambda u, t, y: t, 3))
            ),
            "`log_prob` must have a gradient",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_weights_and_schedules_share_a_graph():
    first, second = Guidance(2.0, Linear()), Guidance(3.0, Interval(0.1))
    model = Two(VPSDE())
    assert first.eps_fn(model) == second.eps_fn(model)
    assert hash(first.eps_fn(model)) == hash(second.eps_fn(model))
    assert first.eps_fn(model) != dataclasses.replace(first, rescale=0.5).eps_fn(model)
    assert Guidance.of(None) is None
    assert Guidance.of(2.0) == Guidance(2.0, by=Unlabelled())
