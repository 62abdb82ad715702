"""Squares of pixels as one pixel with more channels."""

from __future__ import annotations

import tensorflow as tf


def to_patches(x: tf.Tensor, size: int) -> tf.Tensor:
    """Turn each square of `size` x `size` pixels into one, its rows one after another."""
    return x if size == 1 else tf.nn.space_to_depth(x, size)


def from_patches(y: tf.Tensor, size: int) -> tf.Tensor:
    """Undo `to_patches`."""
    return y if size == 1 else tf.nn.depth_to_space(y, size)
