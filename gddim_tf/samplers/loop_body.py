"""What a row of a table does, and the loop over all of them, as graph operations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from gddim_tf.numerics.image_noise import normal_per_image, seeds_of_uses
from gddim_tf.samplers.clipping import dynamic_threshold
from gddim_tf.samplers.components import Components, Matrix, Parts, product_sum
from gddim_tf.samplers.loop_inputs import Kind, Layout, LoopInputs, Slot
from gddim_tf.samplers.row_weights import RowWeights

EpsFn = Callable[..., tf.Tensor]


class Place(NamedTuple):
    """Where a run is; every state as its components.

    Attributes:
      committed: the last committed state.
      point: where the network is evaluated next.
      kept: the history of outputs, newest first.
      scratch: the outputs of the current step, newest first.
    """

    committed: Parts
    point: Parts
    kept: tuple[Parts, ...]
    scratch: tuple[Parts, ...]


class Progress(NamedTuple):
    """What one row hands to the next.

    Attributes:
      i: the row that comes next.
      place: where the run is.
      path: an array of the points so far, or nothing if they are not recorded.
      failed: the row whose output was not finite, or -1.
    """

    i: tf.Tensor
    place: Place
    path: tuple[tf.TensorArray, ...]
    failed: tf.Tensor


class LoopBody:
    """The rows of a table around a network; made in the graph that runs it, outside of the loop.

    Args:
      eps_fn: the network.
      layout: of the table.
      inputs: the columns, the first state, the source of noise and the context.
      trajectory: whether the points are recorded.
    """

    def __init__(self, eps_fn: EpsFn, layout: Layout, inputs: LoopInputs, trajectory: bool) -> None:
        self.eps_fn, self.layout, self.inputs = eps_fn, layout, inputs
        self.columns, self.trajectory = inputs.columns, trajectory
        self.count = tf.shape(self.columns["time"])[0]
        self.components = Components(layout.matrix[-1], tuple(inputs.state.shape[1:]))
        self.weights = RowWeights.of(self.columns, layout, self.components)
        self._kinds = _kind_of_each(layout, self.columns)
        self._seeds = None  # of all images in each draw, `[draws, batch, 2]`
        if inputs.seeds is not None:
            draws = self.count + ("start_noise" in self.columns)
            self._seeds = seeds_of_uses(inputs.seeds, 1, draws)

    def run(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The final state, the points after every row (or nothing), and the row that failed."""
        end = tf.while_loop(
            lambda i, place, path, failed: (i < self.count) & (failed < 0),
            lambda *progress: tuple(_turned(self.row(_turned(Progress(*progress))))),
            tuple(_turned(self.start())),
            parallel_iterations=1,
        )
        end = _turned(Progress(*end))
        # converters to other runtimes lack arrays of tensors, so there is none unless it is needed
        path = end.path[0].stack() if end.path else tf.zeros([0], self.inputs.state.dtype)
        return self.components.join(end.place.committed), path, end.failed

    def start(self) -> Progress:
        """The first point: `u_T`, or what the start map makes of it."""
        point = self.components.split(self.inputs.state)
        if "start_matrix" in self.columns:
            noise = self.draw(tf.constant(0))
            pair = self.weights.start(self.columns)
            point = product_sum(list(zip(pair, (point, noise), strict=True)))
        path = ()
        if self.trajectory:
            shape = self.inputs.state.shape
            points = tf.TensorArray(point[0].dtype, self.count + 1, element_shape=shape)
            path = (points.write(0, self.components.join(point)),)
        empty = tuple(tf.zeros_like(part) for part in point)
        place = Place(
            committed=point,
            point=point,
            kept=(empty,) * self.layout.history,
            scratch=(empty,) * self.layout.scratch,
        )
        return Progress(i=tf.constant(0), place=place, path=path, failed=tf.constant(-1))

    def row(self, now: Progress) -> Progress:
        """One evaluation of the network, and the point and state that follow from it."""
        i, place = now.i, now.place
        eps = self.evaluate(i, self.components.join(place.point))
        failed = tf.where(_all_finite(eps), -1, i)
        eps, weights = self.components.split(eps), self.weights.row(i)
        moves = [
            functools.partial(self.move, kind, i, place, eps, weights) for kind in self.layout.kinds
        ]
        place = moves[0]() if len(moves) == 1 else tf.switch_case(tf.gather(self._kinds, i), moves)
        path = tuple(points.write(i + 1, self.components.join(place.point)) for points in now.path)
        return Progress(i + 1, place, path, failed)

    def evaluate(self, i: tf.Tensor, point: tf.Tensor) -> tf.Tensor:
        """`eps = network(point, time)`, with the row's share of the guidance if there is one."""
        batch, context = tf.shape(point)[:1], self.inputs.context
        if "guidance" in self.columns:
            share = tf.gather(self.columns["guidance"], i)
            context = {**context, "share": tf.fill(batch, share)}
        time = tf.fill(batch, tf.gather(self.columns["time"], i))
        eps = tf.convert_to_tensor(self.eps_fn(point, time, **context))
        if not eps.shape.is_compatible_with(point.shape):
            raise ValueError(
                f"`eps_fn` must return the shape of the state, {point.shape}, at evaluation 1, "
                f"received {eps.shape}"
            )
        return tf.cast(eps, point.dtype)

    def move(self, kind: Kind, i: tf.Tensor, place: Place, eps: Parts, weights: tf.Tensor) -> Place:
        """What a row of some kind makes of its output."""
        matrices = self.weights.matrices(weights)
        output = self.stored(matrices, place.point, eps)
        kept, scratch = place.kept, place.scratch
        if kind.keep:
            kept = (output, *kept)[: len(kept)]
        else:
            scratch = (output, *scratch)[: len(scratch)]
        outputs, committed = (*kept, *scratch), place.committed
        used = {slot: matrices[slot] for slot in kind.used}
        fresh = self.fresh(used, i, eps)
        point = _combined(used, "", committed, outputs, fresh)
        if kind.commit and ("corrected_state", 0) in used:
            committed = _combined(used, "corrected_", committed, outputs, fresh)
        elif kind.commit:
            committed = point
        return Place(committed, point, kept, scratch)

    def stored(self, matrices: dict[Slot, Matrix], point: Parts, eps: Parts) -> Parts:
        """What the history holds: eps, or with data prediction `P point + Q eps`, clipped."""
        if "data_state" not in self.columns:
            return eps
        image, *rest = product_sum(
            [(matrices["data_state", 0], point), (matrices["data_eps", 0], eps)]
        )
        if "clip" in self.columns:
            image = tf.clip_by_value(image, -self.columns["clip"], self.columns["clip"])
        elif "threshold" in self.columns:
            image = dynamic_threshold(image, *tf.unstack(self.columns["threshold"]))
        return image, *rest

    def fresh(
        self, used: dict[Slot, Matrix], i: tf.Tensor, eps: Parts
    ) -> list[tuple[Matrix, Parts]]:
        """What a row adds that is not stored: its own eps, and noise."""
        terms = []
        if ("own", 0) in used:
            terms.append((used["own", 0], eps))
        if ("noise", 0) in used:
            later = tf.cast("start_noise" in self.columns, tf.int32)  # draw 0 is the start map's
            terms.append((used["noise", 0], self.draw(i + later)))
        return terms

    def draw(self, number: tf.Tensor) -> Parts:
        """Standard normal noise like a state: what was given, or each image's own."""
        state, noise = self.inputs.state, self.inputs.noise
        if self._seeds is not None:
            of_draw = tf.gather(self._seeds, number)
            return self.components.split(normal_per_image(of_draw, state.shape[1:], state.dtype))
        if noise is None:
            raise ValueError("`seeds` or `noise` must be given to a loop that draws, received None")
        return self.components.split(noise[number])


def _turned(progress: Progress) -> Progress:
    """The outputs in the other order, oldest first, in which the loop carries them.

    A row hands each output on to the next older place. OpenVINO copies the variables of a loop one
    after another, and newest first would overwrite an output before it is handed on.
    """
    kept, scratch = progress.place.kept[::-1], progress.place.scratch[::-1]
    return progress._replace(place=progress.place._replace(kept=kept, scratch=scratch))


def _kind_of_each(layout: Layout, columns: dict[str, tf.Tensor]) -> tf.Tensor:
    """The position of each row's kind in the layout, `[rows]`."""
    position = [0] * 4
    for number, kind in enumerate(layout.kinds):
        position[2 * kind.keep + kind.commit] = number
    keep, commit = (tf.cast(columns[name], tf.int32) for name in ("keep", "commit"))
    return tf.gather(tf.constant(position), 2 * keep + commit)


def _combined(
    used: dict[Slot, Matrix],
    which: str,
    committed: Parts,
    outputs: tuple[Parts, ...],
    fresh: list[tuple[Matrix, Parts]],
) -> Parts:
    """`state @ committed + sum_j prediction_j @ output_j` and what is fresh.

    The columns are those whose names begin with `which`.
    """
    terms = [(used[f"{which}state", 0], committed)]
    for j, output in enumerate(outputs):
        slot = f"{which}prediction", j
        if slot in used:
            terms.append((used[slot], output))
    return product_sum(terms + fresh)


def _all_finite(eps: tf.Tensor) -> tf.Tensor:
    """Whether every number is finite; in one pass, because their sum is not if one of them is."""
    return tf.cond(
        tf.math.is_finite(tf.reduce_sum(eps)),
        lambda: tf.constant(True),
        lambda: tf.reduce_all(tf.math.is_finite(eps)),  # the sum alone may have been too large
    )
