"""Move the times of a fitted table one by one as long as it gains."""

from __future__ import annotations

from gddim_tf.samplers.tuning.fit import Fit, fit
from gddim_tf.samplers.tuning.task import Task
from gddim_tf.samplers.tuning.teacher import Teacher

# What a move must gain at least, and how often all times are tried.
_GAIN, _SWEEPS = 0.005, 2


def refined(task: Task, teacher: Teacher, best: Fit, ridge: float) -> Fit:
    """A fit whose single nodes cannot be moved to the next one with a gain.

    Every move is fitted anew, and judged on the seeds that choose.

    Args:
      task: the network and its seeds.
      teacher: the fine run to come close to.
      best: where to begin.
      ridge: weight of the analytic rows, relative to the mean square of what they multiply.

    Returns:
      The best fit that was found.
    """
    for _ in range(_SWEEPS):
        before = best
        for position in range(1, len(best.nodes) - 1):
            for step in (-1, 1):
                nodes = list(best.nodes)
                nodes[position] += step
                if not nodes[position - 1] < nodes[position] < nodes[position + 1]:
                    continue
                moved = fit(task, teacher, nodes, ridge)
                if moved.gap.errors["choose"] < (1 - _GAIN) * best.gap.errors["choose"]:
                    best = moved
        if best is before:
            break
    return best
