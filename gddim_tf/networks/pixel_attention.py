"""Attention between the pixels of an image and a few learned vectors, in full and linear."""

from __future__ import annotations

import tensorflow as tf


def rms_norm(x: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """`scale x / |x|` times the root of the channels, the norm of each pixel by itself."""
    square = tf.reduce_sum(x**2, axis=-1, keepdims=True)
    return x * tf.math.rsqrt(tf.maximum(square, 1e-24)) * scale * float(scale.shape[0]) ** 0.5


def full_attention(
    query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, memory: tf.Tensor, heads: int
) -> tf.Tensor:
    """`softmax(q k^T / sqrt(d)) v` in each head, over all pixels and the memory.

    Args:
      query: [batch, height, width, heads * d].
      key: likewise.
      value: likewise.
      memory: [2, heads, count, d], keys and values that do not depend on the image.
      heads: their number, of consecutive channels.

    Returns:
      Like the query.
    """
    queries = _split(query, heads)
    keys, values = (_with(memory[i], _split(x, heads)) for i, x in enumerate((key, value)))
    logits = tf.matmul(queries, keys, transpose_b=True) * queries.shape[-1] ** -0.5
    return _joined(tf.matmul(tf.nn.softmax(logits), values), query)


def linear_attention(
    query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, memory: tf.Tensor, heads: int
) -> tf.Tensor:
    """`softmax_d(q) softmax_n(k)^T v / sqrt(d)`, whose cost is linear in the pixels.

    The queries are normalized over the d channels of a head, the keys over pixels and memory. Shen
    et al. (2021), "Efficient attention". Arguments and result are those of `full_attention`.
    """
    queries = _split(query, heads)
    keys, values = (_with(memory[i], _split(x, heads)) for i, x in enumerate((key, value)))
    context = tf.matmul(tf.nn.softmax(keys, axis=-2), values, transpose_a=True)
    queries = tf.nn.softmax(queries) * queries.shape[-1] ** -0.5
    return _joined(tf.matmul(queries, context), query)


def _split(x: tf.Tensor, heads: int) -> tf.Tensor:
    """[batch, heads, pixels, d]."""
    shape = tf.shape(x)
    parts = tf.reshape(x, [shape[0], shape[1] * shape[2], heads, x.shape[-1] // heads])
    return tf.transpose(parts, [0, 2, 1, 3])


def _joined(parts: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """The inverse of `_split`."""
    return tf.reshape(tf.transpose(parts, [0, 2, 1, 3]), tf.shape(like))


def _with(memory: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """The memory before the pixels."""
    repeated = tf.repeat(memory[None], tf.shape(x)[0], axis=0)
    return tf.concat([repeated, x], axis=2)
