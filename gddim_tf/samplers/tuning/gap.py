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

# Detail that is lost is seen beyond this share.
SEEN = 0.05


class Gap(NamedTuple):
    """Images beside the teacher's, by part of the seeds.

    Attributes:
      errors: root mean square distance, per value.
      variances: variance of the images over that of the teacher's.
      details: mean square of the differences between neighbouring pixels over that of the
        teacher's; 1 if there are none.
    """

    errors: dict[str, float]
    variances: dict[str, float]
    details: dict[str, float]

    @property
    def lost(self) -> float:
        """The share of the detail that is not there, on the seeds that choose."""
        return max(0.0, 1.0 - self.details["choose"])


def gap(task: Task, teacher: Teacher, ends: Iterable[tuple[slice, tf.Tensor]]) -> Gap:
    """Compare the final states of batches of seeds.

    Args:
      task: the network and its seeds.
      teacher: from the same seeds.
      ends: the seeds and their states, whole parts of the task.
    """
    images = {batch.start: (batch, task.sde.to_images(state).numpy()) for batch, state in ends}
    errors, variances, details = {}, {}, {}
    for part, rows in task.parts.items():
        made = [pair for start, pair in images.items() if rows.start <= start < rows.stop]
        if not made:
            continue
        own = np.concatenate([image for _, image in made]).astype(np.float64)
        goals = [task.sde.to_images(tf.constant(teacher.states[-1, batch])) for batch, _ in made]
        goal = np.concatenate(goals).astype(np.float64)
        errors[part] = float(np.sqrt(np.mean(np.square(own - goal))))
        variances[part] = float(own.var() / goal.var())
        rough = _roughness(goal)
        details[part] = _roughness(own) / rough if rough else 1.0
    return Gap(errors, variances, details)


def _roughness(images: np.ndarray) -> float:
    """Sum of the squared differences between neighbours, down and across."""
    return sum(float(np.square(np.diff(images, axis=axis)).sum()) for axis in (1, 2))


def gap_of_table(task: Task, teacher: Teacher, table: Table) -> Gap:
    """The gap of any deterministic table on the seeds that are not fitted on."""
    ends = []
    for batch in task.batches("choose", "report"):
        state = run(table, task.eps_fn, task.prior(batch), context=task.context(batch))
        task.count_evaluations(table.nfe * len(state))
        ends.append((batch, state))
    return gap(task, teacher, ends)
