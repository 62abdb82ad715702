"""What a model is, so that a result can name it."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import tensorflow as tf


def fingerprint(model: Any) -> str:
    """Eight hexadecimal digits of the SHA-256 of a model's weights.

    The order and the names of the weights play no part: a `.keras` file and the SavedModel that was
    exported from it have the same fingerprint.

    Args:
      model: a `DiffusionModel` or a `ServedModel`.

    Returns:
      The digits.
    """
    if hasattr(model, "network"):
        arrays = model.network.get_weights()
    else:
        reader = tf.train.load_checkpoint(str(model.path / "variables" / "variables"))
        arrays = [reader.get_tensor(name) for name in reader.get_variable_to_shape_map()]
    # What else is stored are counters and other scalars.
    weights = [np.asarray(array) for array in arrays if np.ndim(array)]
    digests = sorted(
        hashlib.sha256(str(weight.shape).encode() + weight.tobytes()).hexdigest()
        for weight in weights
        if weight.dtype == np.float32
    )
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:8]
