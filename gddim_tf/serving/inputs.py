"""What the inputs of a signature must satisfy, checked inside the graph before it computes."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


class Inputs:
    """Named inputs that share their batch, and what has been required of them.

    A server feeds tensors of any shape, whatever the signature says, so nothing is taken for
    granted. A request that breaks a requirement fails with `InvalidArgument` and a message that
    names the input, and leaves the server as it was.

    Args:
      tensors: by name; the first one tells the size of the batch.
      largest_batch: how many rows a request may have.
    """

    def __init__(self, tensors: dict[str, tf.Tensor], largest_batch: int) -> None:
        self._given = tensors
        # with a static shape the checks would be folded away as always true
        self._fed = {
            name: tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(None))
            for name, tensor in tensors.items()
        }
        self._assertions: list[tf.Operation] = []
        self._first = next(iter(tensors))
        self.batch = tf.reduce_prod(tf.shape(self._fed[self._first])[:1])
        self._require(
            (self.batch >= 1) & (self.batch <= largest_batch),
            f"`{self._first}` must hold 1 to {largest_batch} rows, received shape",
            tf.shape(self._fed[self._first]),
        )

    def __getitem__(self, name: str) -> tf.Tensor:
        """An input of unknown shape, to state a requirement."""
        return self._fed[name]

    def _require(self, condition: tf.Tensor, message: str, received: tf.Tensor) -> None:
        self._assertions.append(
            tf.raw_ops.Assert(condition=condition, data=[message, received], summarize=8)
        )

    def require_rows(self, name: str, *shapes: Sequence[int]) -> None:
        """One row of one of these shapes per row of the batch, in this input."""
        received = tf.shape(self._fed[name])
        fits = tf.constant(False)
        for shape in shapes:
            wanted = tf.concat([[self.batch], tf.constant(shape, tf.int32), [-1]], 0)
            size = len(shape) + 2
            padded = tf.concat([received, tf.fill([size], -1)], 0)[:size]
            fits |= tf.reduce_all(tf.equal(padded, wanted))
        text = " or ".join(str(["batch", *shape]).replace("'", "") for shape in shapes)
        same = "" if name == self._first else f", with the batch of `{self._first}`"
        self._require(fits, f"`{name}` must have shape {text}{same}, received shape", received)

    def require(self, name: str, meaning: str, condition: tf.Tensor) -> None:
        """`condition` true in every element; `meaning` says what the input must be."""
        message = f"`{name}` must be {meaning}, received"
        self._require(tf.reduce_all(condition), message, self._fed[name])

    def require_finite(self, name: str) -> None:
        """Neither NaN nor infinity in this input."""
        self.require(name, "finite", tf.math.is_finite(self._fed[name]))

    def require_same(self, name: str, allowed: Sequence[float]) -> tf.Tensor:
        """One of the allowed numbers in all rows; gives its position in the list."""
        flat = tf.reshape(self._fed[name], [-1])
        matches = tf.reduce_all(flat[:, None] == tf.constant(allowed, flat.dtype), axis=0)
        # an empty input matches everything; its batch is refused elsewhere
        text = ", ".join(map(str, allowed))
        self.require(name, f"one of {text}, the same in all rows", tf.reduce_any(matches))
        return tf.argmax(matches, output_type=tf.int32)

    def checked(self) -> dict[str, tf.Tensor]:
        """The inputs, to be had only if every requirement holds."""
        with tf.control_dependencies(self._assertions):
            return {name: tf.identity(tensor) for name, tensor in self._given.items()}


def seed_pairs(seed: tf.Tensor) -> tf.Tensor:
    """Seeds `[batch]` or `[batch, 2]` as `[batch, 2]`, with 0 as the second number."""
    columns = tf.reshape(seed, [tf.shape(seed)[0], -1])
    pairs = tf.pad(columns, [[0, 0], [0, 2 - tf.shape(columns)[1]]])
    return tf.ensure_shape(pairs, [None, 2])
