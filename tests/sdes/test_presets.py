"""The names of the diffusions."""

import inspect

import pytest

from gddim_tf.sdes import (
    BDM,
    CLD,
    HOLD,
    PSLD,
    VESDE,
    VPSDE,
    CosineVPSDE,
    LinearSDE,
    RectifiedFlow,
    make,
    names,
)


@pytest.mark.parametrize("name", names())
def test_every_name_makes_a_diffusion(name):
    sde = make(name, image_size=5)
    assert isinstance(sde, LinearSDE)
    assert sde.root(sde.t_max).shape[-2:] == (sde.components, sde.components)


@pytest.mark.parametrize(("size", "blur"), [(8, 2.5), (32, 10.0), (256, 10.0)])
def test_the_blur_is_the_published_one_or_its_share_of_a_small_image(size, blur):
    assert make("bdm", size).get_config() == BDM(size, sigma_blur=blur).get_config()


def test_other_names_are_refused():
    with pytest.raises(ValueError, match=r"`name` must be one of bdm, .*, received 'gan'"):
        make("gan", image_size=5)


_CONSTANTS = [
    (kind, name)
    for kind in (VPSDE, CosineVPSDE, VESDE, CLD, PSLD, HOLD, BDM, RectifiedFlow)
    for name in inspect.signature(kind).parameters
    if name not in ("image_size", "zero_snr", "schedule", "log_normal")
]


@pytest.mark.parametrize(("kind", "name"), _CONSTANTS)
def test_constants_are_finite_numbers(kind, name):
    size = {"image_size": 8} if kind is BDM else {}
    for value in (float("nan"), float("inf"), "1", True):
        with pytest.raises((ValueError, TypeError), match=f"`{name}` must be .*, received"):
            kind(**size, **{name: value})
    if name == "time_scale":
        with pytest.raises(ValueError, match="`time_scale` must be positive, received 0"):
            kind(time_scale=0)
