"""Linear diffusions: what each one is, in closed form or solved numerically."""

from gddim_tf.sdes.base import LinearSDE
from gddim_tf.sdes.bdm import BDM
from gddim_tf.sdes.cld import CLD
from gddim_tf.sdes.discrete import DiscreteVPSDE, zero_snr_betas
from gddim_tf.sdes.flow import RectifiedFlow
from gddim_tf.sdes.hold import HOLD
from gddim_tf.sdes.numerical import NumericalSDE
from gddim_tf.sdes.presets import make, names
from gddim_tf.sdes.psld import PSLD
from gddim_tf.sdes.scalar import ScalarSDE
from gddim_tf.sdes.vesde import VESDE
from gddim_tf.sdes.vpsde import VPSDE, CosineVPSDE

__all__ = [
    "BDM",
    "CLD",
    "HOLD",
    "PSLD",
    "VESDE",
    "VPSDE",
    "CosineVPSDE",
    "DiscreteVPSDE",
    "LinearSDE",
    "NumericalSDE",
    "RectifiedFlow",
    "ScalarSDE",
    "make",
    "names",
    "zero_snr_betas",
]
