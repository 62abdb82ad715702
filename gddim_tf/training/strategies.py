"""Devices to train and sample on, by name."""

from __future__ import annotations

import json
import os

import tensorflow as tf

NAMES = ("one", "mirrored", "workers", "tpu")


def strategy(name: str, virtual_devices: int | None = None) -> tf.distribute.Strategy:
    """A `tf.distribute` strategy; to be called before anything runs on a device.

    Args:
      name: "one" device, "mirrored" (all GPUs of this machine, or else its CPUs), "workers" (the
        machines of the environment variable `TF_CONFIG`, each of which runs the same command), or
        "tpu" (the one that this machine is attached to).
      virtual_devices: None, or into how many devices the CPU is divided, to try a strategy out.

    Returns:
      The strategy; work is done inside its `scope()`.

    Raises:
      ValueError: if the name is unknown, or "workers" finds no `TF_CONFIG`.
    """
    if name not in NAMES:
        raise ValueError(f"`strategy` must be one of {', '.join(NAMES)}, received {name!r}")
    if virtual_devices:
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * virtual_devices
        tf.config.set_logical_device_configuration(cpu, parts)
    if name == "one":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy(_devices())
    if name == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect("local")
        return tf.distribute.TPUStrategy(resolver)
    if not json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster"):
        raise ValueError(
            '`TF_CONFIG` must name the workers for the strategy "workers", for example '
            '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, '
            '"task": {"type": "worker", "index": 0}}, received none'
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def _devices() -> list[str]:
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in devices]
