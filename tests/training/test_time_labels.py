import pytest

from gddim_tf import sdes
from gddim_tf.models import DiffusionModel
from gddim_tf.networks import ScoreUNet


def test_a_logarithm_of_labels_that_are_not_positive_is_refused():
    network = ScoreUNet.from_preset("ddpm_tiny", embedding="fourier", log_label=True)
    for sde in (sdes.DiscreteVPSDE([0.1, 0.2]), sdes.VESDE.karras()):
        name = type(sde).__name__
        with pytest.raises(ValueError, match=f"`network` must have log_label=False for {name}"):
            DiffusionModel(network, sde)
    DiffusionModel(network, sdes.VESDE())
