"""Reference networks of other projects: weights, an input and the output that they gave."""

import dataclasses
import gzip
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1] / "golden"


@dataclasses.dataclass
class Golden:
    """A reference network."""

    config: dict
    tensors: dict
    x: np.ndarray
    time: np.ndarray
    y: np.ndarray

    def error(self, network):
        """The largest difference in units of the largest output."""
        out = np.asarray(network(self.x, self.time))
        return np.abs(out - self.y).max() / np.abs(self.y).max()


def golden(name):
    """Read a reference network; images are returned channels last."""
    file = np.load(FOLDER / f"{name}.npz")
    # Stored byte by byte (first all lowest bytes, ...), which compresses better.
    planes = np.ascontiguousarray(file["weights"].T)
    weights = planes.view(f"<f{planes.shape[1]}").reshape(-1)
    tensors, start = {}, 0
    for key, shape in json.loads(str(file["shapes"])).items():
        stop = start + int(np.prod(shape))
        tensors[key] = weights[start:stop].reshape(shape).astype("float32")
        start = stop
    x, y = file["x"], file["y"]
    if name.startswith("unet"):
        x, y = x.transpose(0, 2, 3, 1), y.transpose(0, 2, 3, 1)
    return Golden(json.loads(str(file["config"])), tensors, x, file["time"], y)


def unpack(name, folder):
    """Decompress a golden file; returns its path."""
    path = folder / name
    path.write_bytes(gzip.decompress((FOLDER / f"{name}.gz").read_bytes()))
    return path


def flax_checkpoint(name, folder):
    """Unpack a checkpoint that Flax wrote; returns its path and what was recorded about it."""
    path = unpack(name, folder)
    record = np.load(FOLDER / f"{name}.npz")
    return path, record, json.loads(str(record["config"]))
