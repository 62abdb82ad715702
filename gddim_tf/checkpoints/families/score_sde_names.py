"""The names inside a layer, which the files of score_sde, CLD-SGM and gDDIM share.

Both frameworks number the layers of the network in the order of construction, which is the order
of `layout`: the PyTorch files count all layers, the Flax files count each class for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from gddim_tf.networks import Part

Leaves = Callable[[str, str, np.ndarray], tuple[str, np.ndarray] | None]

_INSIDE = {
    "block": {
        "GroupNorm_0": "norm1",
        "Conv_0": "conv1",
        "Dense_0": "temb_proj",
        "GroupNorm_1": "norm2",
        "Conv_1": "conv2",
        "Conv_2": "shortcut",
        "NIN_0": "shortcut",
    },
    "attention": {
        "GroupNorm_0": "norm",
        "NIN_0": "query",
        "NIN_1": "key",
        "NIN_2": "value",
        "NIN_3": "proj",
    },
    "downsample": {"Conv_0": "conv", "Conv2d_0": "conv"},
    "upsample": {"Conv_0": "conv", "Conv2d_0": "conv"},
    "combine": {"Conv_0": "conv"},
}


def channels(
    tensors: Mapping[str, np.ndarray], convolution: str, inputs: int, outputs: int
) -> tuple[int, int]:
    """Return the channels of the network's input and output: those of its first and last layer.

    Args:
      tensors: the weights by name.
      convolution: the name of a kernel, with `{i}` for the number of the layer.
      inputs: the axis of the input channels in a kernel.
      outputs: that of the output channels.

    Raises:
      ValueError: if there is no convolution.
    """
    pattern = re.escape(convolution).replace(re.escape("{i}"), r"(\d+)")
    matches = (re.fullmatch(pattern, name) for name in tensors)
    shapes = {
        int(match[1]): tensors[match[0]].shape
        for match in matches
        if match and tensors[match[0]].ndim == 4
    }
    if not shapes:
        raise ValueError(f"the checkpoint must hold convolutions `{convolution}`")
    return shapes[min(shapes)][inputs], shapes[max(shapes)][outputs]


def translate(
    part: Part, path: list[str], tensor: np.ndarray, leaf_of: Leaves
) -> tuple[str, np.ndarray] | None:
    """Translate one tensor of a layer.

    Args:
      part: the layer.
      path: the rest of the source's name, such as ["Conv_0", "kernel"].
      tensor: its value.
      leaf_of: translates the leaves that the frameworks write differently: from our name of the
        layer, the leaf and the tensor to our name of the weight and its value.

    Returns:
      Our name of the weight and its value, or None if the layer has no such tensor.
    """
    *inside, leaf = path
    table = _INSIDE.get(part.kind, {})
    if len(inside) != bool(table) or not set(inside) <= set(table):
        return None
    layer = ".".join([part.name, *(table[name] for name in inside)])
    if part.kind == "fourier":
        return (f"{layer}.frequencies", tensor) if leaf == "W" else None
    if leaf == "b":
        return f"{layer}.bias", tensor
    if leaf == "W":
        # A projection (in, out); as a shortcut it is our 1x1 convolution.
        return f"{layer}.kernel", tensor[None, None] if layer.endswith(".shortcut") else tensor
    return leaf_of(layer, leaf, tensor)
