import json

import numpy as np
import pytest

from benchmarks.papers.tolerances import Tolerances, solver
from gddim_tf.models.drawing import draw
from tests.conftest import own_model


@pytest.fixture(scope="module")
def model():
    return own_model()


def test_the_tolerance_of_rk45_comes_near_to_the_budget(model, tmp_path):
    def miss(chosen):
        (batch,) = draw(model, chosen, 0, 100)
        return abs(np.log(batch.nfe / 30))

    path = tmp_path / "kept" / "tolerances.json"
    found = Tolerances(model, path).find(30)
    assert miss(found) <= min(miss(solver(other)) for other in 10.0 ** np.arange(0.5, -1.1, -0.25))
    assert json.loads(path.read_text()) == {"30": found.rtol}
    again = Tolerances(model, path)
    assert again.known(30) == found
    assert again.known(20) is None
