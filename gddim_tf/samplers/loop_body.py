"""What a row of a table does, and the loop over all of them, as graph operations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from gddim_tf.numerics.image_noise import fold_in, normal_per_image
from gddim_tf.numerics.linalg import apply_matrix
from gddim_tf.samplers.clipping import dynamic_threshold
from gddim_tf.samplers.loop_inputs import Layout, LoopInputs

EpsFn = Callable[..., tf.Tensor]


class Progress(NamedTuple):
    """What one row hands to the next.

    Attributes:
      i: the row that comes next.
      committed: the last committed state.
      point: where the network is evaluated next.
      kept: the history of outputs, newest first.
      scratch: the outputs of the current step, newest first.
      path: the points so far, if they are recorded.
      failed: the row whose output was not finite, or -1.
    """

    i: tf.Tensor
    committed: tf.Tensor
    point: tf.Tensor
    kept: tuple[tf.Tensor, ...]
    scratch: tuple[tf.Tensor, ...]
    path: tf.TensorArray
    failed: tf.Tensor


@dataclasses.dataclass(frozen=True)
class LoopBody:
    """The rows of a table around a network.

    Attributes:
      eps_fn: the network.
      layout: of the table.
      inputs: the columns, the first state, the source of noise and the context.
      trajectory: whether the points are recorded.
    """

    eps_fn: EpsFn
    layout: Layout
    inputs: LoopInputs
    trajectory: bool

    @property
    def columns(self) -> dict[str, tf.Tensor]:
        """The columns of the table, by name."""
        return self.inputs.columns

    def run(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The final state, the points after every row (or nothing), and the row that failed."""
        count = tf.shape(self.columns["time"])[0]
        end = tf.while_loop(
            lambda i, *rest: (i < count) & (rest[-1] < 0),
            lambda *progress: tuple(self.row(Progress(*progress))),
            tuple(self.start(count)),
            parallel_iterations=1,
        )
        end = Progress(*end)
        path = end.path.stack() if self.trajectory else tf.zeros([0], self.inputs.state.dtype)
        return end.committed, path, end.failed

    def start(self, count: tf.Tensor) -> Progress:
        """The first point: `u_T`, or what the start map makes of it."""
        point = self.inputs.state
        if "start_matrix" in self.columns:
            index = self.columns.get("mode_index")
            point = apply_matrix(self.columns["start_matrix"], point, index) + apply_matrix(
                self.columns["start_noise"], self.draw(tf.constant(0)), index
            )
        size = count + 1 if self.trajectory else 0
        path = tf.TensorArray(point.dtype, size, element_shape=point.shape)
        if self.trajectory:
            path = path.write(0, point)
        empty = tf.zeros_like(point)
        return Progress(
            i=tf.constant(0),
            committed=point,
            point=point,
            kept=(empty,) * self.layout.history,
            scratch=(empty,) * self.layout.scratch,
            path=path,
            failed=tf.constant(-1),
        )

    def row(self, now: Progress) -> Progress:
        """One evaluation of the network, and the point and state that follow from it."""
        i, keep = now.i, self.columns["keep"][now.i]
        eps = self.evaluate(i, now.point)
        finite = tf.reduce_all(tf.math.is_finite(eps))
        output = self.stored(i, now.point, eps)
        kept = self.push(now.kept, output, keep)
        scratch = self.push(now.scratch, output, ~keep)
        point, ended = self.combine(i, now.committed, (*kept, *scratch), eps)
        if not self.layout.uniform:
            ended = tf.where(self.columns["commit"][i], ended, now.committed)
        path = now.path.write(i + 1, point) if self.trajectory else now.path
        return Progress(i + 1, ended, point, kept, scratch, path, tf.where(finite, -1, i))

    def evaluate(self, i: tf.Tensor, point: tf.Tensor) -> tf.Tensor:
        """`eps = network(point, time)`, with the row's share of the guidance if there is one."""
        batch, context = tf.shape(point)[0], self.inputs.context
        if "guidance" in self.columns:
            context = {**context, "share": tf.repeat(self.columns["guidance"][i], batch)}
        time = tf.repeat(self.columns["time"][i], batch)
        eps = tf.convert_to_tensor(self.eps_fn(point, time, **context))
        if not eps.shape.is_compatible_with(point.shape):
            raise ValueError(
                f"`eps_fn` must return the shape of the state, {point.shape}, at evaluation 1, "
                f"received {eps.shape}"
            )
        return tf.cast(eps, point.dtype)

    def stored(self, i: tf.Tensor, point: tf.Tensor, eps: tf.Tensor) -> tf.Tensor:
        """What the history holds: eps, or with data prediction `P point + Q eps`, clipped."""
        if "data_state" not in self.columns:
            return eps
        value = self.apply("data_state", i, point) + self.apply("data_eps", i, eps)
        channels = value.shape[-1] // self.columns["state"].shape[-1]
        image, rest = value[..., :channels], value[..., channels:]
        if "clip" in self.columns:
            image = tf.clip_by_value(image, -self.columns["clip"], self.columns["clip"])
        elif "threshold" in self.columns:
            image = dynamic_threshold(image, *tf.unstack(self.columns["threshold"]))
        else:
            return value
        return tf.concat([image, rest], axis=-1)

    def push(
        self, slots: tuple[tf.Tensor, ...], value: tf.Tensor, wanted: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """The slots with the value in front, or as they were if it is not wanted there."""
        shifted = (value, *slots[:-1])[: len(slots)]
        if self.layout.uniform:
            return shifted
        return tuple(tf.where(wanted, new, old) for new, old in zip(shifted, slots, strict=True))

    def combine(
        self, i: tf.Tensor, committed: tf.Tensor, outputs: tuple[tf.Tensor, ...], eps: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The next point, and the state if it is committed: another one with a free corrector."""
        point = ended = self.weighted("state", "prediction", i, committed, outputs)
        if "corrected_state" in self.columns:
            ended = self.weighted("corrected_state", "corrected_prediction", i, committed, outputs)
        if "own" in self.columns:
            fresh = self.apply("own", i, eps)
            point, ended = point + fresh, ended + fresh
        if "noise" in self.columns:
            later = tf.cast("start_noise" in self.columns, tf.int32)  # draw 0 is the start map's
            fresh = self.apply("noise", i, self.draw(i + later))
            point, ended = point + fresh, ended + fresh
        return point, ended

    def weighted(
        self,
        state: str,
        prediction: str,
        i: tf.Tensor,
        committed: tf.Tensor,
        outputs: tuple[tf.Tensor, ...],
    ) -> tf.Tensor:
        """`state @ committed + sum_j prediction_j @ output_j`, the columns given by name."""
        total = self.apply(state, i, committed)
        for j, output in enumerate(outputs):
            weight = self.columns[prediction][i, j]
            total += apply_matrix(weight, output, self.columns.get("mode_index"))
        return total

    def apply(self, column: str, i: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        """Row i of a column, a matrix, on a state."""
        return apply_matrix(self.columns[column][i], value, self.columns.get("mode_index"))

    def draw(self, number: tf.Tensor) -> tf.Tensor:
        """Standard normal noise like a state: what was given, or each image's own."""
        state, seeds, noise = self.inputs.state, self.inputs.seeds, self.inputs.noise
        if seeds is not None:
            return normal_per_image(fold_in(seeds, number + 1), state.shape[1:], state.dtype)
        if noise is None:
            raise ValueError("`seeds` or `noise` must be given to a loop that draws, received None")
        return noise[number]
