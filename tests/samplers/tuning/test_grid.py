import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gddim_tf.samplers import PowerGrid, VPTimeGrid
from gddim_tf.samplers.tuning.grid import cheapest_path, nearest_nodes
from gddim_tf.sdes import CLD


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6))
def test_the_cheapest_path_is_that_of_all_paths(seed, steps):
    costs = np.random.default_rng(seed).random((8, 8))
    costs[np.tril_indices(8)] = np.inf

    def total(nodes):
        return sum(costs[pair] for pair in itertools.pairwise(nodes))

    paths = [(0, *inside, 7) for inside in itertools.combinations(range(1, 7), steps - 1)]
    assert np.isclose(total(cheapest_path(costs, steps)), min(map(total, paths)))


def test_nearest_nodes_are_distinct_and_near():
    sde = CLD()
    times = VPTimeGrid(2.0, 1.0)(sde, 30)
    for steps in (1, 3, 10, 30):
        nodes = nearest_nodes(sde, times, PowerGrid(2.0)(sde, steps))
        assert nodes[0] == 0
        assert nodes[-1] == 30
        assert len(nodes) == steps + 1
        assert min(np.diff(nodes)) >= 1
    assert nearest_nodes(sde, times, times[::5]) == list(range(0, 31, 5))
