"""The sum at the end of a residual branch."""

from __future__ import annotations

import math

import tensorflow as tf


def residual_sum(x: tf.Tensor, h: tf.Tensor, rescale: bool) -> tf.Tensor:
    """Return x + h, divided by sqrt(2) if `rescale`, which keeps the variance."""
    return (x + h) * (1.0 / math.sqrt(2.0)) if rescale else x + h
