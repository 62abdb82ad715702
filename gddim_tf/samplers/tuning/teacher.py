"""The network's own flow, run finely and remembered: what a table is fitted to."""

from __future__ import annotations

import tempfile

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.grids import VPTimeGrid
from gddim_tf.samplers.methods.gddim import GDDIM
from gddim_tf.samplers.table import Table
from gddim_tf.samplers.tuning.task import Task
from gddim_tf.samplers.tuning.walk import Walk

# Order 2 in the root of the VP time: the most accurate of the methods at such budgets.
TEACHER = GDDIM(order=2, variable="sqrt_vp_time", grid=VPTimeGrid(2.0, 1.0))

# Seeds whose outputs are kept as well, for the costs of steps.
_WITH_OUTPUTS = 64


class Teacher:
    """States `u_m` on the probability flow of a network at many times, for all seeds of a task.

    The states are kept in a temporary file, so that memory holds a batch of them at a time.

    Args:
      task: the network and its seeds.
      steps: how many steps, one network evaluation each.

    Attributes:
      times: `[steps + 1]`, decreasing.
      states: `[steps + 1, count, height, width, k * C]`, float32.
      outputs: eps of the first seeds, `[steps, at most 64, height, width, k * C]`, float32.

    Raises:
      NotFiniteError: if the network returns something that is not finite.
    """

    def __init__(self, task: Task, steps: int) -> None:
        self.times = TEACHER.grid(task.sde, steps)
        self._folder = tempfile.TemporaryDirectory(prefix="gddim-tf-tune-")
        shown = min(_WITH_OUTPUTS, task.parts["fit"].stop)
        shapes = [
            (*nodes, *task.state_shape) for nodes in ((steps + 1, task.count), (steps, shown))
        ]
        self.states, self.outputs = (
            np.memmap(f"{self._folder.name}/{i}", np.float32, "w+", shape=shape)
            for i, shape in enumerate(shapes)
        )
        table = TEACHER.table(task.sde, steps)
        for batch in task.batches():
            self._follow(task, table, batch)

    def _follow(self, task: Task, table: Table, batch: slice) -> None:
        walk = Walk(task, batch, table.history)
        self.states[0, batch] = walk.state
        for i, time in enumerate(table.time):
            eps = walk.evaluate(time)
            if batch.start < self.outputs.shape[1]:
                self.outputs[i, batch] = eps[: self.outputs.shape[1] - batch.start]
            walk.step(table.state[i], table.prediction[i])
            self.states[i + 1, batch] = walk.state

    def error(self, task: Task, batch: slice) -> float:
        """How far the ends of a batch are from those of a run of twice as many steps (RMS)."""
        table = TEACHER.table(task.sde, 2 * (len(self.times) - 1))
        walk = Walk(task, batch, table.history)
        for i, time in enumerate(table.time):
            walk.evaluate(time)
            walk.step(table.state[i], table.prediction[i])
        ends = task.sde.to_images(tf.constant(self.states[-1, batch]))
        return float(np.sqrt(np.mean((task.sde.to_images(walk.state) - ends) ** 2)))
