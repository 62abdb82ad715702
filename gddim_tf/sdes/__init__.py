"""Linear diffusions: what each one is, in closed form or solved numerically."""

from collections.abc import Callable

import numpy as np

from gddim_tf.choice import one_of
from gddim_tf.image_size import ImageSize
from gddim_tf.sdes.base import LinearSDE
from gddim_tf.sdes.bdm import BDM
from gddim_tf.sdes.cld import CLD
from gddim_tf.sdes.discrete import DiscreteVPSDE, zero_snr_betas
from gddim_tf.sdes.flow import RectifiedFlow
from gddim_tf.sdes.hold import HOLD
from gddim_tf.sdes.numerical import NumericalSDE
from gddim_tf.sdes.psld import PSLD
from gddim_tf.sdes.scalar import ScalarSDE
from gddim_tf.sdes.vesde import VESDE
from gddim_tf.sdes.vpsde import VPSDE, CosineVPSDE

# The names of the command line and of recipes.
PRESETS: dict[str, Callable[[ImageSize], LinearSDE]] = {
    "vp": lambda size: VPSDE(),
    "cosine": lambda size: CosineVPSDE(),
    "ddpm": lambda size: DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000)),
    "flow": lambda size: RectifiedFlow(),
    "vp_zero_snr": lambda size: VPSDE(zero_snr=True),
    "edm": lambda size: VESDE(0.002, 80.0, "linear", log_normal=(-1.2, 1.2)),
    "ve": lambda size: VESDE(),
    "cld": lambda size: CLD(),
    "psld": lambda size: PSLD(),
    "hold": lambda size: HOLD(),
    "bdm": BDM.for_images,
}

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
__dir__ = __all__.copy  # what editors complete


def names() -> list[str]:
    """The names that `make` knows."""
    return sorted(PRESETS)


def make(name: str, image_size: ImageSize) -> LinearSDE:
    """A diffusion by name, with the constants of its paper.

    Args:
      name: "vp", "cosine", "ddpm" (discrete, 1000 steps), "vp_zero_snr", "flow", "edm", "ve",
        "cld", "psld", "hold" (third order) or "bdm", which below 32 pixels blurs by the same share
        of the width.
      image_size: pixels a side, or (height, width), which the blurring diffusion needs.

    Raises:
      ValueError: if the name is unknown.

    Examples:
      >>> make("cld", 32).components
      2
    """
    one_of("name", name, names())
    return PRESETS[name](image_size)
