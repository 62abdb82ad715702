"""Training on several machines: what `fit` does, as a plain loop over `strategy.run`.

Keras 3 does not run `fit` under `MultiWorkerMirroredStrategy`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from gddim_tf.models.diffusion_model import DiffusionModel

# What the survivors see when a worker is gone.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


def several(strategy: tf.distribute.Strategy) -> bool:
    """Whether the strategy runs on more than one machine."""
    return strategy.cluster_resolver is not None and bool(
        strategy.cluster_resolver.cluster_spec().as_dict()
    )


def is_first(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes files: the chief, or else worker 0."""
    if not several(strategy):
        return True
    resolver = strategy.cluster_resolver
    if "chief" in resolver.cluster_spec().jobs:
        return resolver.task_type == "chief"
    return resolver.task_id == 0


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Return when every worker has come here.

    Raises:
      ConnectionError: if another worker is lost.
    """
    if several(strategy):
        meet = tf.function(lambda: strategy.run(lambda: tf.constant(1.0)))
        try:
            strategy.reduce("SUM", meet(), axis=None)
        except _LOST as error:
            raise _lost("after the last epoch") from error


def batches(
    strategy: tf.distribute.Strategy,
    part: Callable[[int, tuple[int, int]], tf.data.Dataset],
    batch_size: int,
) -> tf.distribute.DistributedDataset:
    """Batches of all devices together, of which each worker reads its own part.

    Args:
      strategy: over the devices of the workers.
      part: makes the batches of one device, from their size and a shard `(index, count)`.
      batch_size: of all devices of all workers together.
    """
    return strategy.distribute_datasets_from_function(
        lambda context: part(
            context.get_per_replica_batch_size(batch_size),
            (context.input_pipeline_id, context.num_input_pipelines),
        )
    )


def fit(
    model: DiffusionModel,
    batches: tf.distribute.DistributedDataset,
    *,
    epochs: int,
    steps_per_epoch: int,
    callbacks: Sequence[keras.callbacks.Callback],
    initial_epoch: int = 0,
    validation_data: tf.distribute.DistributedDataset | None = None,
    validation_steps: int | None = None,
    verbose: Any = 0,
) -> keras.callbacks.History:
    """Train a model that was made in the scope of its strategy.

    Its arguments are those of `keras.Model.fit`. Every worker calls it with the same numbers;
    callbacks may differ.

    Raises:
      ConnectionError: if another worker is lost.
    """
    strategy = model.distribute_strategy
    train = _averaged(strategy, model.train_step)
    test = _averaged(strategy, model.test_step)
    calls = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=bool(verbose),
        model=model,
        epochs=epochs,
        steps=steps_per_epoch,
        verbose=verbose,
    )
    model.stop_training = False
    logs: Mapping[str, tf.Tensor | float] = {}
    epoch = initial_epoch
    try:
        calls.on_train_begin()
        iterator = iter(batches)
        for epoch in range(initial_epoch, epochs):
            calls.on_epoch_begin(epoch)
            model.reset_metrics()
            for step in range(steps_per_epoch):
                calls.on_train_batch_begin(step)
                logs = train(next(iterator))
                calls.on_train_batch_end(step, logs)
                if model.stop_training:
                    break
            numbers = _numbers(logs)
            if validation_data is not None:
                numbers |= _validate(model, test, validation_data, validation_steps, calls)
            logs = numbers
            calls.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
    except _LOST as error:
        raise _lost(f"in epoch {epoch + 1}") from error
    model.optimizer.finalize_variable_values(model.trainable_weights)
    calls.on_train_end(logs)
    return model.history


def _lost(when: str) -> ConnectionError:
    return ConnectionError(
        f"another worker was lost {when}; start all of them again to go on from the last checkpoint"
    )


def _averaged(strategy: tf.distribute.Strategy, step: Any) -> Any:
    """A step on every device, and the mean of what it returns."""

    @tf.function
    def run(batch: Any) -> dict[str, tf.Tensor]:
        logs = strategy.run(step, args=(batch,))
        return {name: strategy.reduce("MEAN", value, axis=None) for name, value in logs.items()}

    return run


def _validate(
    model: DiffusionModel,
    test: Any,
    batches: tf.distribute.DistributedDataset,
    steps: int | None,
    calls: keras.callbacks.CallbackList,
) -> dict[str, float]:
    calls.on_test_begin()
    model.reset_metrics()
    logs: dict[str, tf.Tensor] = {}
    for step, batch in enumerate(itertools.islice(batches, steps)):
        calls.on_test_batch_begin(step)
        logs = test(batch)
        calls.on_test_batch_end(step, logs)
    calls.on_test_end(logs)
    return {f"val_{name}": value for name, value in _numbers(logs).items()}


def _numbers(logs: Mapping[str, tf.Tensor | float]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}
