"""Drawing with weights that each evaluation orders for the processor."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from gddim_tf.networks.convolution import ordered_weights
from gddim_tf.samplers.loop import EpsFn


@dataclasses.dataclass(frozen=True)
class OrderedEps:
    """An eps whose network is traced in the scope of `ordered_weights`.

    Equal for the same eps, so that one graph serves every draw.

    Args:
      eps_fn: of a model.
    """

    eps_fn: EpsFn

    def __call__(self, u: tf.Tensor, t: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """See `GenerativeModel.eps`."""
        with ordered_weights():
            return self.eps_fn(u, t, labels)


def ordered_on_cpus(eps_fn: EpsFn) -> EpsFn:
    """`OrderedEps` where there are only CPUs, the eps itself elsewhere."""
    kinds = {device.device_type for device in tf.config.list_logical_devices()}
    return OrderedEps(eps_fn) if kinds == {"CPU"} else eps_fn
