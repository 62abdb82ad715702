"""A process with two devices: what it trains and samples, on one of them and on both.

python -m tests.training.replicas OUTPUT.npz
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from gddim_tf import sdes
from gddim_tf.samplers import DDIM
from gddim_tf.training import AveragingAdam, strategy, workers
from tests.conftest import own_model
from tests.serving.conftest import labelled_model


def main(path):
    # each graph runs a few times
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    both, one = strategy("mirrored", virtual_devices=2), tf.distribute.get_strategy()
    if both.num_replicas_in_sync != 2:
        sys.exit(f"two devices were asked for, received {both.num_replicas_in_sync}")
    results = {"batch": batch(both, 8)}
    for name, devices in {"one": one, "both": both}.items():
        results |= {f"{name}_{key}": value for key, value in trained(devices).items()}
        results |= {f"{name}_{key}": value for key, value in sampled(devices).items()}
    np.savez(path, **results)


def batch(devices, size):
    """The first batch that a worker reads, from all its devices."""

    def part(size, shard):
        return tf.data.Dataset.range(64).shard(shard[1], shard[0]).batch(size)

    first = next(iter(workers.batches(devices, part, size)))
    return np.concatenate(devices.experimental_local_results(first))


def trained(devices):
    """The losses and weights of a few steps of Adam with clipped gradients."""
    keras.utils.set_random_seed(0)
    with devices.scope():
        model = own_model(sdes.CLD())
        model.compile(AveragingAdam(1e-2, ema_momentum=0.9, global_clipnorm=0.5))
    images = np.random.default_rng(0).uniform(-1, 1, (64, 8, 8, 1)).astype(np.float32)
    history = model.fit(
        tf.data.Dataset.from_tensor_slices(images).batch(16).repeat(),
        validation_data=tf.data.Dataset.from_tensor_slices(images).batch(16),
        callbacks=[keras.callbacks.SwapEMAWeights()],
        epochs=2,
        steps_per_epoch=4,
        verbose=0,
        shuffle=False,
    ).history
    weights = {f"weight_{i}": np.array(weight) for i, weight in enumerate(model.weights)}
    return {**weights, **{key: np.array(values) for key, values in history.items()}}


def sampled(devices):
    """Images whose number the devices do not divide."""
    keras.utils.set_random_seed(0)
    with devices.scope():
        model = labelled_model()
        options = {"nfe": 3, "seed": 5, "batch_size": 5, "labels": np.arange(7) % 3}
        return {
            "default": model.sample(7, **options),
            "stochastic": model.sample(7, DDIM(eta=1.0), **options),
            "guided": model.sample(7, guidance=2.0, **options),
        }


if __name__ == "__main__":
    main(sys.argv[1])
