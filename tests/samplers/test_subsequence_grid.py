import numpy as np
import pytest

from gddim_tf.samplers import SubsequenceGrid
from gddim_tf.sdes import DiscreteVPSDE
from tests.samplers.problems import golden

KINDS = {"leading": "uniform", "trailing": "trailing", "linspace": "linspace"}
LISTS = golden("diffusers_timesteps")


@pytest.mark.parametrize("name", sorted(LISTS))
def test_the_lists_of_published_schedulers(name):
    scheduler, spacing, offset, total, steps = name.split("_")
    sde = DiscreteVPSDE(np.linspace(1e-4, 0.02, int(total)))
    grid = SubsequenceGrid(
        KINDS[spacing],
        offset=int(offset) if spacing == "leading" else 0,
        spare=int(scheduler in ("dpm", "unipc", "deis")),
        rounded=scheduler not in ("euler", "ancestral"),
    )
    np.testing.assert_allclose(grid(sde, int(steps))[:-1] - 1, LISTS[name], rtol=0, atol=1e-12)


def test_a_sub_sequence_may_end_at_the_first_index():
    sde = DiscreteVPSDE(np.linspace(1e-4, 0.02, 100))
    times = SubsequenceGrid(offset=1, end="first")(sde, 4)
    np.testing.assert_array_equal(times, [77.0, 52.0, 27.0, 2.0, 1.0])
    times = SubsequenceGrid(end="first")(sde, 4)  # the last step would be from 1 to 1
    np.testing.assert_array_equal(times, [76.0, 51.0, 26.0, 1.0])


@pytest.mark.parametrize(
    ("arguments", "steps", "message"),
    [
        ({"kind": "random"}, 5, r"`kind` must be .*received \'random\'"),
        ({"end": "last"}, 5, r"`end` must be \"data\" or \"first\", received \'last\'"),
        ({"offset": -1}, 5, "`offset` must be at least 0, received -1"),
        ({"spare": -1}, 5, "`spare` must be at least 0, received -1"),
        ({"offset": 10}, 10, "`offset` must keep the indices of 10 steps below 100, received 10"),
        ({"spare": 1}, 100, "of 101 steps needs a discrete schedule of at least as many steps"),
    ],
)
def test_errors(arguments, steps, message):
    with pytest.raises(ValueError, match=message):
        SubsequenceGrid(**arguments)(DiscreteVPSDE(np.linspace(1e-4, 0.02, 100)), steps)
