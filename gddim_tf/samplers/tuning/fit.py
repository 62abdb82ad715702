"""A table fitted row by row along its own path."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from gddim_tf.samplers.table import Table, multistep_table
from gddim_tf.samplers.tuning.bands import Bands
from gddim_tf.samplers.tuning.gap import Gap, gap
from gddim_tf.samplers.tuning.second_moments import SecondMoments
from gddim_tf.samplers.tuning.task import Task
from gddim_tf.samplers.tuning.teacher import Teacher
from gddim_tf.samplers.tuning.walk import Walk
from gddim_tf.samplers.tuning.weights import RowFit, analytic_weights

# Outputs that a row combines; with more, rows of diffusions with velocities blow up.
HISTORY = 4


@dataclasses.dataclass(frozen=True)
class Fit:
    """A table and what it does.

    Attributes:
      table: the rows.
      nodes: of the teacher, through which they go.
      asked: whose times the network is told, one per row.
      gap: between its images and the teacher's.
    """

    table: Table
    nodes: tuple[int, ...]
    asked: tuple[int, ...]
    gap: Gap


def fit(
    task: Task,
    teacher: Teacher,
    nodes: Sequence[int],
    ridge: float,
    asked: Sequence[int] | None = None,
) -> Fit:
    """Fit the weights of every row to the teacher's states at some of its times.

    Row i is fitted where the rows before it have led, not on the teacher's path, so that it repairs
    what they lost. The last one keeps the second moment of the images, see `SecondMoments`. All
    seeds walk along; only those of the part "fit" are fitted on.

    Args:
      task: the network and its seeds.
      teacher: the states to go through.
      nodes: numbers of its times, from the first to the last.
      ridge: weight of the analytic rows, see `RowFit`.
      asked: None, or other nodes whose times the network is told in the rows, increasing; what it
        is asked about stays the state at the node where the row starts.

    Returns:
      The table and its errors.
    """
    sde, times = task.sde, teacher.times[list(nodes)]
    asked = tuple(nodes[:-1] if asked is None else asked)
    told = teacher.times[list(asked)]
    bands = Bands(sde, task.image_shape)
    walks = [Walk(task, batch, HISTORY) for batch in task.batches()]
    fitted = [walk for walk in walks if walk.batch.stop <= task.parts["fit"].stop]
    states, weights = [], []
    for i in range(len(times) - 1):
        goals = teacher.states[nodes[i + 1]]
        outputs = min(i + 1, HISTORY)
        psi = sde.transition(times[i + 1], times[i])
        prior = analytic_weights(sde, times[i], times[i + 1], told[: i + 1], outputs)
        for walk in walks:
            walk.evaluate(told[i])
        row = RowFit(bands, outputs)
        for walk in fitted:
            row.add([walk.state, *walk.outputs], goals[walk.batch] - walk.moved(psi, prior))
        state, weight = row.corrected(psi, prior, ridge)
        if i == len(times) - 2:
            moments = SecondMoments(bands)
            for walk in fitted:
                moments.add(walk.moved(state, weight), goals[walk.batch])
            state, weight = moments.kept(state, weight, ridge)
        for walk in walks:
            walk.step(state, weight)
        states.append(state)
        weights.append(weight)
    table = multistep_table(told, np.stack(states), weights, mode_index=sde.mode_index)
    ends = [(walk.batch, walk.state) for walk in walks]
    return Fit(table, tuple(nodes), asked, gap(task, teacher, ends))
