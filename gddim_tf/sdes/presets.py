"""The diffusions by the names used on the command line and in recipes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gddim_tf.image_size import ImageSize, sides
from gddim_tf.sdes.base import LinearSDE
from gddim_tf.sdes.bdm import BDM
from gddim_tf.sdes.cld import CLD
from gddim_tf.sdes.discrete import DiscreteVPSDE
from gddim_tf.sdes.flow import RectifiedFlow
from gddim_tf.sdes.hold import HOLD
from gddim_tf.sdes.psld import PSLD
from gddim_tf.sdes.vesde import VESDE
from gddim_tf.sdes.vpsde import VPSDE, CosineVPSDE

# gDDIM's blur, in pixels of the images of CIFAR-10. On 8 x 8 pixels it would leave 4 % or less of
# every frequency but the mean at times above 0.6, where 32 x 32 keep 81 % of the lowest.
_BLUR, _BLUR_SIZE = 10.0, 32

_PRESETS: dict[str, Callable[[ImageSize], LinearSDE]] = {
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
    "bdm": lambda size: BDM(size, sigma_blur=_BLUR * min(1.0, min(sides(size)) / _BLUR_SIZE)),
}


def names() -> list[str]:
    """The names that `make` knows."""
    return sorted(_PRESETS)


def make(name: str, image_size: ImageSize) -> LinearSDE:
    """A diffusion by name, with the constants of its paper.

    Args:
      name: "vp", "cosine", "ddpm" (discrete, 1000 steps), "vp_zero_snr", "flow", "edm", "ve",
        "cld", "psld", "hold" (third order) or "bdm", which below 32 pixels blurs by the same share
        of the width.
      image_size: pixels a side, or (height, width), which the blurring diffusion needs.

    Raises:
      ValueError: if the name is unknown.
    """
    if name not in _PRESETS:
        raise ValueError(f"`name` must be one of {', '.join(names())}, received {name!r}")
    return _PRESETS[name](image_size)
