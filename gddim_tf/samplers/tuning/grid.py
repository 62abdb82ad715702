"""Which of the teacher's times a short table goes through."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from gddim_tf.samplers.tuning.teacher import Teacher
from gddim_tf.samplers.weights import VARIABLES
from gddim_tf.sdes import LinearSDE


def step_costs(sde: LinearSDE, teacher: Teacher) -> np.ndarray:
    """The mean squared error in the image of single order-0 steps along the teacher's path.

    `c(i, j) = E |u_j - Psi(t_j, t_i) u_i - (R_j - Psi R_i) e_i|^2`, without an evaluation of the
    network. The plain distance of GITS (Chen et al., 2024), section 3.3, with an exact step.

    Args:
      sde: the diffusion.
      teacher: its states and outputs.

    Returns:
      `[nodes, nodes]`, infinite where j is not after i.
    """
    times, steps, seeds = teacher.times, *teacher.outputs.shape[:2]
    costs = np.full((steps + 1, steps + 1), np.inf)
    roots = sde.root(times)
    for i in range(steps):
        state, eps = (tf.constant(kept[i, :seeds]) for kept in (teacher.states, teacher.outputs))
        for j in range(i + 1, steps + 1):
            psi = sde.transition(times[j], times[i])
            weight = roots[j] - psi @ roots[i]
            moved = sde.apply(tf.constant(psi, state.dtype), state)
            moved += sde.apply(tf.constant(weight, state.dtype), eps)
            gap = sde.to_images(moved - teacher.states[j, :seeds])
            costs[i, j] = np.mean(np.square(gap))
    return costs


def cheapest_path(costs: np.ndarray, steps: int) -> list[int]:
    """The nodes from first to last in `steps` steps of the least total cost, `[steps + 1]`.

    Dynamic programming: the best way to node j in s steps extends a best way in s - 1.

    Args:
      costs: `[nodes, nodes]`.
      steps: below the number of nodes.
    """
    total = np.full(len(costs), np.inf)
    total[0], before = 0.0, []
    for _ in range(steps):
        ways = total[:, None] + costs
        before.append(ways.argmin(axis=0))
        total = ways.min(axis=0)
    nodes = [len(costs) - 1]
    for came_from in reversed(before):
        nodes.insert(0, int(came_from[nodes[0]]))
    return nodes


def nearest_nodes(sde: LinearSDE, times: np.ndarray, wanted: np.ndarray) -> list[int]:
    """Distinct nodes near the times of another grid, its ends at the ends.

    Args:
      sde: the diffusion.
      times: of the nodes, decreasing.
      wanted: the other grid, decreasing, no longer than `times`.
    """
    clock = VARIABLES["sqrt_vp_time"]
    gaps = np.abs(clock(sde, wanted)[:, None] - clock(sde, times))
    nodes = gaps.argmin(axis=1)
    nodes[0], nodes[-1] = 0, len(times) - 1
    order = np.arange(len(nodes))  # neighbours differ by one at least
    nodes = np.maximum.accumulate(nodes - order) + order
    return [int(node) for node in np.minimum(nodes, len(times) - 1 - order[::-1])]
