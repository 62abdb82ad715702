"""Weights that follow from a seed, so that a golden file need not hold them."""

import math

import numpy as np


def uniform(seed, count):
    """Numbers in [-1, 1), float32, from PCG64's bits, which are the same in every version."""
    bits = np.random.PCG64(seed).random_raw(count) >> np.uint64(40)
    return (bits.astype(np.float64) / 2**23 - 1).astype(np.float32)


def weights(shapes, seed):
    """Tensors in PyTorch's layout, as large as they have to be to matter but not to explode.

    Args:
        shapes: by the names of the source, in its order.
        seed: an integer.
    """
    values = uniform(seed, sum(math.prod(shape) for shape in shapes.values()))
    tensors, start = {}, 0
    for name, shape in shapes.items():
        count = math.prod(shape)
        tensor = values[start : start + count].reshape(shape)
        tensors[name] = _scaled(name, tensor)
        start += count
    return tensors


def _scaled(name, tensor):
    if tensor.ndim > 1 and name != "class_embedding.weight":
        return tensor * np.float32(math.sqrt(3 / math.prod(tensor.shape[1:])))
    if name == "time_proj.weight":
        return 4 * tensor
    return (
        tensor
        if tensor.ndim > 1
        else np.float32(0.3) * tensor + np.float32("norm" in name and name.endswith("weight"))
    )
