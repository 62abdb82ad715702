import numpy as np
import pytest

from gddim_tf import data
from gddim_tf.evaluation import bits_per_dim, split_bits_per_dim
from gddim_tf.samplers import RK45
from gddim_tf.sdes import VPSDE
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

OPTIONS = {"levels": 17, "probes": 1, "seed": 4, "solver": RK45(rtol=1e-2, atol=1e-2)}


@pytest.fixture(scope="module")
def model():
    return own_model()


def test_the_mean_is_that_of_the_images(model):
    report = split_bits_per_dim(model, "digits", count=3, batch_size=2, **OPTIONS)
    images = next(iter(data.load("digits", "test", batch_size=3)))
    pixels = data.to_uint8(images).numpy()
    parts = [
        bits_per_dim(model, pixels[:2], **OPTIONS),
        bits_per_dim(model, pixels[2:], first=2, **OPTIONS),
    ]
    bits = np.concatenate([part.bits for part in parts])
    assert report["images"] == 3
    assert report["bits_per_dim"] == pytest.approx(bits.mean())
    spread = np.sqrt(np.sum((bits - bits.mean()) ** 2) / 2)
    assert report["standard_error"] == pytest.approx(spread / np.sqrt(3))
    assert report["nfe"] == np.mean([part.nfe for part in parts])
    assert report["solver"] == repr(OPTIONS["solver"])


def test_one_image_has_no_standard_error(model):
    report = split_bits_per_dim(model, "digits", count=1, **OPTIONS)
    assert report["standard_error"] is None


@pytest.mark.parametrize(("levels", "start", "hidden"), [(17, None, False), (17, 0.2, True)])
def test_noise_wider_than_a_level_is_said(model, levels, start, hidden):
    report = split_bits_per_dim(model, "digits", count=1, start=start, **OPTIONS)
    # of VP, 1 - exp(-int beta)
    t = report["start"]
    integral = VPSDE().beta_min * t + (VPSDE().beta_max - VPSDE().beta_min) * t**2 / 2
    assert report["start_noise"] == pytest.approx(np.sqrt(-np.expm1(-integral)))
    assert report["level_width"] == 2 / levels
    assert report["start_noise_hides_levels"] is hidden


def test_images_of_another_size_are_told(model):
    images = 255 * np.random.default_rng(0).integers(0, 2, (2, 8, 9), np.uint8)
    data.add("wide", images, images)
    with pytest.warns(UserWarning, match="the images of wide .* are taken as 8 x 8 from 8 x 9"):
        report = split_bits_per_dim(model, "wide", count=1, **OPTIONS)
    assert report["taken_as"] == "8 x 8 from 8 x 9"
    assert split_bits_per_dim(model, "digits", count=1, **OPTIONS)["taken_as"] is None


def test_images_of_other_channels_are_refused(model):
    with pytest.raises(ValueError, match=r"must have images of 1 channels, .* received 3 of"):
        split_bits_per_dim(model, "photo_patches", count=1)


def test_bad_arguments_are_named(model):
    with pytest.raises(ValueError, match="`conditional` must be False"):
        split_bits_per_dim(model, "digits", conditional=True)
    with pytest.raises(ValueError, match="`batch_size` must be at least 1, received 0"):
        split_bits_per_dim(model, "digits", batch_size=0)
    with pytest.raises(ValueError, match="`count` must be at least 1, received 0"):
        split_bits_per_dim(model, "digits", count=0)
