"""How far the images of a table are from the teacher's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.loop import run
from gddim_tf.samplers.table import Table
from gddim_tf.samplers.tuning.task import Task
from gddim_tf.samplers.tuning.teacher import Teacher


class Gap(NamedTuple):
    """Images beside the teacher's, by part of the seeds.

    Attributes:
      errors: root mean square distance, per value.
      variances: variance of the images over that of the teacher's.
    """

    errors: dict[str, float]
    variances: dict[str, float]


def gap(task: Task, teacher: Teacher, ends: Iterable[tuple[slice, tf.Tensor]]) -> Gap:
    """Compare the final states of batches of seeds.

    Args:
      task: the network and its seeds.
      teacher: from the same seeds.
      ends: the seeds and their states, whole parts of the task.
    """
    images = {batch.start: (batch, task.sde.to_images(state).numpy()) for batch, state in ends}
    errors, variances = {}, {}
    for part, rows in task.parts.items():
        made = [pair for start, pair in images.items() if rows.start <= start < rows.stop]
        if not made:
            continue
        own = np.concatenate([image for _, image in made]).astype(np.float64)
        goals = [task.sde.to_images(tf.constant(teacher.states[-1, batch])) for batch, _ in made]
        goal = np.concatenate(goals).astype(np.float64)
        errors[part] = float(np.sqrt(np.mean(np.square(own - goal))))
        variances[part] = float(own.var() / goal.var())
    return Gap(errors, variances)


def gap_of_table(task: Task, teacher: Teacher, table: Table) -> Gap:
    """The gap of any deterministic table on the seeds that are not fitted on."""
    ends = []
    for batch in task.batches("choose", "report"):
        state = run(table, task.eps_fn, task.prior(batch), context=task.context(batch))
        task.count_evaluations(table.nfe * len(state))
        ends.append((batch, state))
    return gap(task, teacher, ends)
