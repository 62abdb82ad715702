import numpy as np
import pytest

from gddim_tf.models.operators import Downsample
from gddim_tf.samplers import DDIM, GDDIM, low_order
from gddim_tf.samplers.strength import time_of_strength
from gddim_tf.sdes import BDM
from tests.conftest import own_model
from tests.models.normal_data import NormalImages
from tests.sdes import cases
from tests.serving.conftest import labelled_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

SDES = ["vp", "cld", "bdm", "flow"]
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("ve", "third_order", "discrete")]
IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)
UPPER = np.arange(8)[:, None] * np.ones((1, 8)) < 4


@pytest.fixture(scope="module", params=SDES + SLOW)
def model(request):
    return own_model(BDM(8) if request.param == "bdm" else cases.sde(request.param))


def test_what_is_known_is_kept_and_the_rest_is_drawn(model):
    drawn = model.sample(3, low_order(model.sde, 4), 4, seed=5)
    nothing = model.inpaint(IMAGES, np.zeros((8, 8)), nfe=4, seed=5)
    np.testing.assert_allclose(nothing, drawn, atol=1e-4)
    everything = model.inpaint(IMAGES, np.ones((8, 8, 1), bool), nfe=4)
    np.testing.assert_array_equal(everything, IMAGES)
    half = model.inpaint(IMAGES, UPPER, nfe=4, seed=5)
    np.testing.assert_array_equal(half[:, :4], IMAGES[:, :4])
    assert np.abs(half[:, 4:] - IMAGES[:, 4:]).max() > 0.1


def test_an_edit_of_full_strength_is_a_sample(model):
    np.testing.assert_array_equal(model.edit(IMAGES, 1.0, nfe=4), model.sample(3, nfe=4))
    nearly = model.edit(IMAGES, 0.9999, nfe=4)
    assert np.isfinite(nearly).all()


def test_the_ends_of_an_interpolation_are_the_images(model):
    frames = model.interpolate(IMAGES, IMAGES[::-1].copy(), 3, nfe=4)
    assert frames.shape == (3, *IMAGES.shape)
    np.testing.assert_allclose(frames[0], IMAGES, atol=1e-5)
    np.testing.assert_allclose(frames[-1], IMAGES[::-1], atol=1e-5)
    # the way of an image to itself does not move
    np.testing.assert_allclose(frames[:, 1], np.stack([IMAGES[1]] * 3), atol=1e-5)
    assert np.abs(frames[1, 0] - IMAGES[0]).max() > 0.1
    if model.sde.components == 1:  # the middle is on both ways; velocities would be drawn for each
        np.testing.assert_allclose(frames[1, 0], frames[1, 2], atol=5e-3)


def test_edits_depend_on_seed_and_place_alone():
    model = own_model()
    small = Downsample(2).apply(IMAGES).numpy()
    calls = {
        "edit": lambda rows, **options: model.edit(IMAGES[rows], 0.5, nfe=3, **options),
        "inpaint": lambda rows, **options: model.inpaint(IMAGES[rows], UPPER, nfe=3, **options),
        "restore": lambda rows, **options: model.restore(
            small[rows], Downsample(2), nfe=3, **options
        ),
    }
    for name, call in calls.items():
        whole = call(slice(None), seed=4)
        np.testing.assert_allclose(call(slice(None), seed=4, batch_size=2), whole, atol=1e-5)
        np.testing.assert_allclose(call(slice(2, 3), seed=4, first=2), whole[2:], atol=1e-5)
        assert np.abs(call(slice(None), seed=5) - whole).max() > 0.01, name


@pytest.mark.parametrize("name", ["vp", "karras"])
def test_an_edit_of_normal_data_has_the_moments_of_what_is_exact(name):
    """The flow takes a state by its distance from the mean, in deviations, to the data."""
    sde = cases.sde(name)
    model = NormalImages(sde, (1, 2, 1), 0.3, 0.25)
    images = np.tile(np.float32([0.9, -0.6]).reshape(1, 1, 2, 1), (2000, 1, 1, 1))
    edited = model.edit(images, 0.5, nfe=40)
    time = time_of_strength(sde, 0.5)
    signal = sde.transition(time, 0.0)[:, 0]
    noise = sde.covariance(time)
    whole = 0.25 * np.outer(signal, signal) + noise
    scale = 0.5 / np.sqrt(whole[0, 0])
    expected = 0.3 + scale * signal[0] * (images[0, 0, :, 0] - 0.3)
    np.testing.assert_allclose(edited.mean(0)[0, :, 0], expected, atol=0.03)
    np.testing.assert_allclose(edited.std(0)[0, :, 0], scale * np.sqrt(noise[0, 0]), atol=0.03)


@pytest.mark.parametrize("name", ["cld", "bdm"])
def test_a_weaker_edit_is_nearer(name):
    sde = BDM(2) if name == "bdm" else cases.sde(name)
    model = NormalImages(sde, (2, 2, 1), 0.0, 0.3)
    images = np.random.default_rng(1).uniform(-1, 1, (50, 2, 2, 1)).astype(np.float32)
    far = [np.abs(model.edit(images, s, nfe=10) - images).mean() for s in (0.1, 0.3, 0.6)]
    assert np.all(np.diff(far) > 0.02)


def test_refused():
    model = own_model()
    for call, message in (
        (lambda: model.edit(IMAGES, 0.0), "`strength` must be finite, above 0 and at most 1"),
        (lambda: model.edit(IMAGES, 1.5), "`strength` must be finite, above 0 and at most 1"),
        (lambda: model.edit(IMAGES, 1e-9), "`strength` must be above 0.00.* on VPSDE"),
        (lambda: model.edit(IMAGES[:, :4], 0.5), r"`images` must be \[batch, 8, 8, 1\]"),
        (lambda: model.edit(IMAGES[:0], 0.5), r"`images` must be \[batch, .*, received none"),
        (lambda: model.inpaint(IMAGES, np.ones((4, 8))), r"`mask` must be \(8, 8\)"),
        (lambda: model.inpaint(IMAGES, np.ones((2, 8, 8, 1))), "the batch of 3 before it"),
        (lambda: model.inpaint(IMAGES, 0.5 * UPPER), "`mask` must hold 1 for known pixels"),
        (
            lambda: model.restore(IMAGES, Downsample(2)),
            r"`measurement` must be \[batch, 4, 4, 1\], .* received \(3, 8, 8, 1\)",
        ),
        (
            lambda: model.restore(IMAGES, Downsample(1), noise_std=-1.0),
            "`noise_std` must be finite, at least 0, received -1.0",
        ),
        (lambda: model.interpolate(IMAGES, IMAGES, 1), "`steps` must be at least 2, received 1"),
        (
            lambda: model.interpolate(IMAGES, IMAGES[:2], 3),
            "`last_images` must be 3, as many as the first, received 2",
        ),
        (lambda: model.interpolate(IMAGES, IMAGES, 3, DDIM(eta=1.0)), "deterministic"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="`operator` must be a LinearOperator, received str"):
        model.restore(IMAGES, "blur")


def test_labels_and_guidance_go_into_every_edit():
    model, nfe = labelled_model(), 2
    images = np.zeros((2, *model.image_shape), np.float32)
    mask = np.zeros(model.image_shape[:2])
    mask[:1] = 1
    sampler = GDDIM(order=0)
    for call in (
        lambda **kw: model.edit(images, 0.8, sampler, nfe, **kw),
        lambda **kw: model.inpaint(images, mask, sampler, nfe, **kw),
        lambda **kw: model.encode(images, sampler, nfe, **kw).numpy(),
        lambda **kw: model.path(2, sampler, nfe, **kw)[-1],
        lambda **kw: model.interpolate(images, images + 0.5, 3, sampler, nfe, **kw)[1],
    ):
        plain, labelled, guided = call(), call(labels=[1, 2]), call(labels=[1, 2], guidance=3.0)
        np.testing.assert_allclose(call(labels=model.num_classes), plain, atol=1e-5)
        assert np.abs(labelled - plain).max() > 1e-4
        assert np.abs(guided - labelled).max() > 1e-4
        with pytest.raises(ValueError, match="`labels` must be given with `guidance`"):
            call(guidance=2.0)
