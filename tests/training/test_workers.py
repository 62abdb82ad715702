import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.training import AveragingAdam, workers
from tests.conftest import own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")


def fit(value, initial_epoch=0, scale=1.0):
    """The loop of the workers, on the one device there is."""
    model = own_model()
    model.network.out.kernel.assign(scale * model.network.out.kernel)
    model.compile(AveragingAdam(1e-2, ema_momentum=0.9))
    model.optimizer.build(model.trainable_variables)
    history = workers.fit(
        model,
        tf.data.Dataset.from_tensors(np.full((8, 8, 8, 1), value, np.float32)).repeat(),
        epochs=2,
        initial_epoch=initial_epoch,
        steps_per_epoch=3,
        callbacks=[keras.callbacks.TerminateOnNaN(), keras.callbacks.SwapEMAWeights()],
    )
    return model, history.history


def test_every_step_of_every_epoch_is_done():
    model, history = fit(0.5)
    assert model.optimizer.iterations == 6
    assert len(history["loss"]) == 2 and np.isfinite(history["loss"]).all()


def test_what_is_already_trained_needs_no_step():
    model, history = fit(0.5, initial_epoch=2)
    assert model.optimizer.iterations == 0
    assert history == {}


def test_the_first_loss_that_is_not_a_number_is_the_last():
    model, history = fit(0.5, scale=1e30)  # an output whose square is infinite
    assert model.optimizer.iterations == 1
    assert not np.isfinite(history["loss"]).any()


@pytest.mark.parametrize(
    ("jobs", "writers"),
    [({"worker": 2}, ["worker 0"]), ({"chief": 1, "worker": 2}, ["chief 0"])],
)
def test_one_process_writes(jobs, writers):
    cluster = tf.train.ClusterSpec(
        {job: [f"{job}{index}:1" for index in range(count)] for job, count in jobs.items()}
    )
    first = []
    for job, count in jobs.items():
        for index in range(count):
            resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
                cluster, task_type=job, task_id=index
            )
            if workers.is_first(types.SimpleNamespace(cluster_resolver=resolver)):
                first.append(f"{job} {index}")
    assert first == writers
