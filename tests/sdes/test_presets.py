"""The names of the diffusions."""

import pytest

from gddim_tf.sdes import BDM, LinearSDE, make, names


@pytest.mark.parametrize("name", names())
def test_every_name_makes_a_diffusion(name):
    sde = make(name, image_size=5)
    assert isinstance(sde, LinearSDE)
    assert sde.root(sde.t_max).shape[-2:] == (sde.components, sde.components)


def test_the_image_size_reaches_the_blur():
    assert make("bdm", image_size=5).get_config() == BDM(5).get_config()


def test_other_names_are_refused():
    with pytest.raises(ValueError, match=r"`name` must be one of bdm, .*, received 'gan'"):
        make("gan", image_size=5)
