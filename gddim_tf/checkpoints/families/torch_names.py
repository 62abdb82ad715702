"""What the PyTorch families share: the layout of their tensors and the meaning of their leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

Tensors = Mapping[str, np.ndarray]
Rules = Sequence[tuple[str, str]]

_NORMS = re.compile(r"(^|\.)(norm\d?|norm_out|pyramid_norm)$")
_ATTENTION = re.compile(r"\.(query|key|value|proj)$")


def kernel_shape(tensors: Tensors, name: str) -> tuple[int, ...]:
    """Return the shape of a convolution's kernel.

    Raises:
      ValueError: if there is no such tensor or it is not a convolution's.
    """
    if name not in tensors or tensors[name].ndim != 4:
        raise ValueError(f"the checkpoint must hold {name!r} with 4 axes")
    return tensors[name].shape


def rename(name: str, rules: Rules) -> str | None:
    """Return our name of the layer that `name` belongs to, or None if it belongs to none.

    Args:
      name: the source's name of a layer, without the leaf.
      rules: pairs of a regular expression, which has to match all of the name or up to a dot, and
        its replacement; they are applied one after the other.
    """
    matched = False
    for pattern, replacement in rules:
        name, count = re.subn(rf"^{pattern}(?=\.|$)", replacement, name)
        matched = matched or bool(count)
    return name if matched else None


def rename_inside(name: str, table: Mapping[str, str]) -> str:
    """Replace the last component of a layer's name, as blocks and attention call it."""
    head, _, tail = name.rpartition(".")
    return f"{head}.{table[tail]}" if head and tail in table else name


def to_ours(layer: str, leaf: str, tensor: np.ndarray) -> tuple[str, np.ndarray]:
    """Translate one tensor.

    Args:
      layer: our name of the layer.
      leaf: "weight" or "bias".
      tensor: in PyTorch's layout: convolutions (out, in, height, width), linear (out, in).

    Returns:
      Our name of the weight, and the tensor as (height, width, in, out) or (in, out).
    """
    if leaf == "bias":
        return f"{layer}.bias", tensor
    if _NORMS.search(layer):
        return f"{layer}.scale", tensor
    kernel = tensor.T if tensor.ndim != 4 else tensor.transpose(2, 3, 1, 0)
    if _ATTENTION.search(layer) and kernel.ndim == 4 and kernel.shape[:2] == (1, 1):
        kernel = kernel[0, 0]
    return f"{layer}.kernel", kernel
