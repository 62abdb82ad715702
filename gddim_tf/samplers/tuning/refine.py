"""Move the times of a fitted table one by one as long as it gains."""

from __future__ import annotations

import itertools

from gddim_tf.samplers.tuning.fit import Fit, fit
from gddim_tf.samplers.tuning.gap import SEEN
from gddim_tf.samplers.tuning.task import Task
from gddim_tf.samplers.tuning.teacher import Teacher

# What a move must gain at least, and how often all times are tried.
_GAIN, _SWEEPS = 0.005, 2

Times = tuple[tuple[int, ...], tuple[int, ...]]


def refined(task: Task, teacher: Teacher, best: Fit, ridge: float) -> Fit:
    """A fit whose single times cannot be moved to the next one with a gain.

    A row has two: where its step starts, and which time the network is told there. Every move is
    fitted anew, and judged on the seeds that choose, where the images must not lose visible detail.

    Args:
      task: the network and its seeds.
      teacher: the fine run to come close to.
      best: where to begin.
      ridge: weight of the analytic rows, relative to the mean square of what they multiply.

    Returns:
      The best fit that was found.
    """
    most_lost = best.gap.lost + SEEN
    for _ in range(_SWEEPS):
        before = best
        for row, told_only, step in itertools.product(
            range(len(best.asked)), (False, True), (-1, 1)
        ):
            times = _moved(best, row, told_only, step)
            if times is None:
                continue
            moved = fit(task, teacher, times[0], ridge, times[1])
            gains = moved.gap.errors["choose"] < (1 - _GAIN) * best.gap.errors["choose"]
            if gains and moved.gap.lost <= most_lost:
                best = moved
        if best is before:
            break
    return best


def _moved(best: Fit, row: int, told_only: bool, step: int) -> Times | None:
    """The times after one move; None if they do not all increase or an end does not stay."""
    nodes, asked = list(best.nodes), list(best.asked)
    asked[row] += step
    if not told_only:
        nodes[row] += step
    inside = nodes[0] == 0 <= asked[0] and asked[-1] < nodes[-1]
    rising = all(a < b for times in (nodes, asked) for a, b in itertools.pairwise(times))
    return (tuple(nodes), tuple(asked)) if inside and rising else None
