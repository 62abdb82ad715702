"""What numbers depend on besides the model: versions and the machine."""

from __future__ import annotations

import os
import platform

import keras
import tensorflow as tf

from gddim_tf._version import __version__


def environment() -> dict[str, str]:
    """Versions of the package, TensorFlow, Keras and Python, and the processor, by name."""
    return {
        "gddim_tf": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
        "processor": f"{os.cpu_count()} x {platform.machine()}",
    }
