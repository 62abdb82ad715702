import numpy as np
import pytest

from gddim_tf import sdes
from gddim_tf.app.studio import FINE, IN_TURN, MOST_NFE, NO_CLASS, Studio, Wish
from gddim_tf.models import GenerativeModel
from tests.conftest import own_model
from tests.serving.conftest import labelled_model


class Black(GenerativeModel):
    """The exact model of images that are all black; every first step of DDIM is exact on it."""

    sde, image_shape, num_classes = sdes.VPSDE(), (2, 2, 1), 0

    def eps(self, u, t, labels=None):
        signal, root = self.sde.kernel(t)
        return (u + signal[..., None]) / root[..., None]

    def fingerprint(self):
        return "black"


@pytest.fixture(scope="module")
def studio():
    return Studio(labelled_model())


def test_an_exact_sampler_has_no_error():
    drawn = Studio(Black()).draw("ddim", 2, Wish(0, 4))
    assert drawn.images.shape == (4, 2, 2, 1)
    assert drawn.error < 1e-4 and drawn.seconds > 0


def test_two_samplers_start_from_the_same_noise(studio):
    wish = Wish(3, 4, "1", 2.0)
    coarse, better = studio.draw("ddim", 4, wish), studio.draw("gddim(order=2)", 40, wish)
    assert coarse.error > 2 * better.error > 0
    labels = {"labels": 1, "guidance": 2.0, "seed": 3}
    np.testing.assert_array_equal(coarse.images, studio.model.sample(4, "ddim", 4, **labels))
    np.testing.assert_array_equal(studio.long_run(wish), studio.model.sample(4, nfe=FINE, **labels))
    assert studio.draw("ddim(eta=1)", 4, wish).error is None


def test_labels_are_classes_in_turn_one_or_none(studio):
    assert studio.labels == [IN_TURN, "0", "1", "2", NO_CLASS]
    for label, meant in ((IN_TURN, [0, 1, 2, 0]), ("2", 2), (NO_CLASS, 3)):
        drawn = studio.draw("ddim", 2, Wish(0, 4, label))
        np.testing.assert_array_equal(drawn.images, studio.model.sample(4, "ddim", 2, labels=meant))
    assert Studio(own_model()).labels == []


@pytest.mark.parametrize(
    ("sampler", "nfe", "wish", "message"),
    [
        ("ddim", 0, Wish(0, 1), "`evaluations` must be at least 1"),
        ("ddim", MOST_NFE + 1, Wish(0, 1), f"`evaluations` must be at most {MOST_NFE}"),
        ("ddim", "many", Wish(0, 1), "`evaluations` must be a whole number"),
        ("ddim", 2, Wish(2**31, 1), "`seed` must be at most"),
        ("ddim", 2, Wish(0, 10**6), "`images` must be at most 64"),
        ("ddim", 2, Wish(0, 1, "7"), "`class` must be one of each in turn, 0, 1, 2, no class"),
        ("ddim", 2, Wish(0, 1, IN_TURN, 1e9), "`guidance` must be"),
        ("ddim", 2, Wish(0, 1, IN_TURN, float("nan")), "`guidance` must be"),
        ("tuned:/etc/passwd", 2, Wish(0, 1), "`sampler` must be a name or a call"),
        ("os:system", 2, Wish(0, 1), "`sampler` must be a name or a call"),
        ("x" * 10**5, 2, Wish(0, 1), "`sampler` must be a name or a call"),
        (["ddim"], 2, Wish(0, 1), "`sampler` must be a name or a call"),
        ("paint", 2, Wish(0, 1), "received 'paint'"),
        ("fpndm", 2, Wish(0, 1), "F-PNDM"),
    ],
)
def test_what_a_stranger_sends_is_bounded(studio, sampler, nfe, wish, message):
    with pytest.raises((ValueError, TypeError), match=message):
        studio.draw(sampler, nfe, wish)
