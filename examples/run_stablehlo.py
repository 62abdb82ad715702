"""Draw images from an exported StableHLO module: JAX and NumPy, neither TensorFlow nor gddim_tf.

    gddim-tf export --stablehlo --model saved_models/digits_vp --nfe 20 --batch-size 16 --out digits
    python examples/run_stablehlo.py digits --seed 7 --out digits.npy

What is here is all there is to it: the module's arguments are the inputs and then the weights, in
the order in which stablehlo.json lists both. JAX's runtime compiles it for the device it has, a
CPU, a GPU or a TPU; any other OpenXLA runtime (IREE, PJRT from C++) takes the same two files.
"""

from __future__ import annotations

import argparse
import json
import pathlib
from typing import Any

import jax
import numpy as np
from jax.extend.backend import get_compile_options
from safetensors import SafetensorError
from safetensors.numpy import load_file


class Sampler:
    """A module, compiled, with its weights on a device.

    Args:
      folder: what `gddim-tf export --stablehlo` wrote.
      name: of a module; the first by default.
      device: of JAX; the first by default.

    Raises:
      ValueError: if there is no module of that name.
      OSError: if a file is missing.
    """

    def __init__(self, folder: str, name: str | None = None, device: Any = None) -> None:
        path = pathlib.Path(folder)
        self.description = json.loads((path / "stablehlo.json").read_text())
        modules = self.description["modules"]
        if name is not None and name not in modules:
            raise ValueError(f"`name` must be one of {', '.join(modules)}, received {name!r}")
        module = modules[name or next(iter(modules))]
        self.nfe, self.batch = module["nfe"], self.description["batch_size"]
        self.classes = self.description["num_classes"]
        self.device = device or jax.devices()[0]
        weights = load_file(path / "weights.safetensors")
        self._weights = [self._put(weights[name]) for name in module["weights"]]
        self.weights = sum(weight.size for weight in self._weights)
        options = get_compile_options(num_replicas=1, num_partitions=1)
        text = (path / module["file"]).read_text()
        self._run = self.device.client.compile_and_load(text, [self.device], options)

    def __call__(
        self, seed: int, first: int = 0, label: int | None = None, guidance: float = 1.0
    ) -> np.ndarray:
        """One batch `[batch, height, width, C]`: images first, first + 1, ... of a seed.

        Args:
          seed: of the draw, of 32 bits; with the same one `model.sample` draws the same images.
          first: index of the first image.
          label: the class of all of them, for a model that has classes; None for no class.
          guidance: the weight of classifier-free guidance, 1 for none.

        Raises:
          ValueError: if there is no such class, or no such seed.
          FloatingPointError: if the network returned something that is not finite.
        """
        if label is not None and label not in range(self.classes and self.classes + 1):
            raise ValueError(f"`label` must be one of {self.classes} classes, received {label}")
        if not -(2**31) <= seed < 2**31:
            raise ValueError(f"`seed` must have 32 bits, received {seed}")
        index = np.arange(first, first + self.batch)
        inputs = [np.stack([np.full(self.batch, seed), index], axis=1).astype(np.int32)]
        if self.classes:
            label = self.classes if label is None else label
            inputs.append(np.full(self.batch, label, np.int32))
            inputs.append(np.full(self.batch, guidance, np.float32))
        arguments = [*map(self._put, inputs), *self._weights]
        results = self._run.execute_sharded(arguments).disassemble_into_single_device_arrays()
        images = np.asarray(results[0][0])
        if np.isnan(images).any():
            raise FloatingPointError("the network returned something that is not finite")
        return images

    def _put(self, array: np.ndarray) -> jax.Array:
        return jax.device_put(array, self.device)


def main() -> None:
    """Draw one batch and keep it as a NumPy file, in [-1, 1]."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--module", help="its name in stablehlo.json; the first by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--label", type=int, help="class, if the model has classes")
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    try:
        sampler = Sampler(options.folder, options.module)
        images = sampler(options.seed, label=options.label, guidance=options.guidance)
        np.save(options.out, images)
    except (OSError, ValueError, LookupError, ArithmeticError, SafetensorError) as error:
        parser.error(f"{type(error).__name__}: {error}")
    print(f"{len(images)} images in {sampler.nfe} evaluations on {sampler.device}: {options.out}")


if __name__ == "__main__":
    main()
