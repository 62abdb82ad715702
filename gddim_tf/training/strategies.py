"""Devices to train and sample on, by name."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from gddim_tf.checks import whole
from gddim_tf.choice import one_of

NAMES = ("one", "mirrored", "workers", "tpu")
_MOST_DEVICES = 1024


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
      ValueError: if the name is unknown, "workers" finds no `TF_CONFIG`, or the CPU cannot be
        divided so, or not any more.
    """
    one_of("strategy", name, NAMES)
    if virtual_devices is not None:
        _divide_cpu(whole("virtual_devices", virtual_devices, 1, _MOST_DEVICES))
    if name == "one":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy(_devices())
    if name == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect("local")
        return tf.distribute.TPUStrategy(resolver)
    if not _names_workers(os.environ.get("TF_CONFIG", "")):
        raise ValueError(
            '`TF_CONFIG` must name the workers for the strategy "workers", for example '
            '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, '
            '"task": {"type": "worker", "index": 0}}, received none'
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def _divide_cpu(parts: int) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        devices = [tf.config.LogicalDeviceConfiguration()] * parts
        tf.config.set_logical_device_configuration(cpu, devices)
    except RuntimeError as error:
        raise ValueError(
            f"`virtual_devices` must be given before anything runs on a device: {error}"
        ) from error


def _names_workers(config: str) -> bool:
    """Whether the text of `TF_CONFIG` is an object with a cluster."""
    try:
        told = json.loads(config)
    except ValueError:
        return False
    return isinstance(told, dict) and bool(told.get("cluster"))


def _devices() -> list[str]:
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in devices]
