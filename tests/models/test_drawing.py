import subprocess
import sys
import threading

import numpy as np
import pytest

from gddim_tf.models.drawing import draw
from gddim_tf.samplers import DDIM, RK45
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

# Two devices are what only a process of its own can have.
_TRACES = """
import tensorflow as tf
from gddim_tf import training
from tests.conftest import own_model

class Counted(tf.distribute.MirroredStrategy):
    traces = 0

    def run(self, *arguments, **options):  # Python comes here when it traces a graph
        self.traces += 1
        return super().run(*arguments, **options)

training.strategy("mirrored", virtual_devices=2)
devices = Counted(["CPU:0", "CPU:1"])
with devices.scope():
    model = own_model()
    model.sample(6, nfe=2, batch_size=4)
    before = devices.traces
    model.sample(20, nfe=2, batch_size=8)
    model.sample(5, nfe=2, seed=1, batch_size=8)
    from gddim_tf.models.drawing import draw
    try:
        draw(model, None, 2, 4, workers=2)
    except ValueError as error:
        assert str(error) == "`workers` must be 1 on several devices, received 2"
    else:
        raise AssertionError("several workers share several devices")
print(before, devices.traces)
"""


def test_several_devices_trace_no_graph_again_for_another_draw():
    process = subprocess.run(
        [sys.executable, "-c", _TRACES], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    # one for the size of the first batch, one for any size
    assert process.stdout.split() == ["2", "2"]


@pytest.fixture(scope="module")
def model():
    return own_model()


def test_batches_are_those_of_a_sample_whatever_their_size_and_their_workers(model):
    sampler, expected = DDIM(eta=1.0), model.sample(11, DDIM(eta=1.0), 3, seed=4)
    for options, sizes in (
        ({"batch_size": 4}, [4, 4, 3]),
        ({"batch_size": 4, "workers": 3}, [4, 4, 3]),
        ({"workers": 2}, [6, 5]),
    ):
        batches = list(draw(model, sampler, 3, 11, seed=4, **options))
        assert [len(batch.images) for batch in batches] == sizes
        assert {batch.nfe for batch in batches} == {3}
        images = np.concatenate([batch.images for batch in batches])
        np.testing.assert_allclose(images, expected, atol=1e-5)
    (rest,) = draw(model, sampler, 3, 4, seed=4, first=7)
    np.testing.assert_allclose(rest.images, expected[7:], atol=1e-5)


def test_batches_are_made_as_they_are_asked_for(model, monkeypatch):
    started, prior = [], type(model.sde).prior

    def noted(sde, *arguments):
        started.append(threading.get_ident())
        return prior(sde, *arguments)

    monkeypatch.setattr(type(model.sde), "prior", noted)
    batches = draw(model, DDIM(), 1, 100, batch_size=1, workers=2)
    assert not started
    next(batches)
    batches.close()
    assert len(started) <= 3
    assert threading.get_ident() not in started


def test_an_adaptive_solver_draws_too(model):
    exact, adaptive = model.sample(3, DDIM(), 400), RK45(rtol=1e-5, atol=1e-5)
    images = model.sample(3, adaptive)
    np.testing.assert_allclose(images, exact, atol=0.02)
    batches = list(draw(model, adaptive, 1, 3, batch_size=2))
    assert all(batch.nfe > 20 for batch in batches)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "`count` must be at least 1, received 0"),
        ({"batch_size": 0}, "`batch_size` must be at least 1, received 0"),
        ({"workers": 0}, "`workers` must be at least 1, received 0"),
        ({"count": 1.5}, "`count` must be a whole number, received 1.5"),
        ({"batch_size": None}, "`batch_size` must be a whole number, received None"),
        ({"seed": 0.5}, "`seed` must be a whole number .*, received 0.5"),
        ({"first": "a"}, "`first` must be a whole number .*, received 'a'"),
        ({"first": True}, "`first` must be a whole number .*, received True"),
        ({"first": 2**40}, "`first` must be a whole number .*, received 1099511627776"),
        ({"labels": 1}, "`labels` must be None for a model without classes"),
        ({"guidance": 2.0}, "`labels` must be given with `guidance`"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_drawn(model, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        draw(model, DDIM(), 1, **{"count": 1, **options})
