"""Draw images from an exported StableHLO module: JAX and NumPy, neither TensorFlow nor gddim_tf.

    gddim-tf export --stablehlo --model saved_models/digits_vp --nfe 20 --batch-size 16 --out digits
    python examples/run_stablehlo.py digits --seed 7 --out digits.npy

What is here is all there is to it: the module's arguments are the weights, in the order that
stablehlo.json lists them, and the inputs. JAX's runtime compiles it for the device it has, a CPU, a
GPU or a TPU; any other OpenXLA runtime (IREE, PJRT from C++) takes the same two files.
"""

from __future__ import annotations

import argparse
import json
import pathlib
from typing import Any

import jax
import numpy as np
from jax.extend.backend import get_compile_options
from safetensors.numpy import load_file


class Sampler:
    """A module, compiled, with its weights on a device.

    Args:
      folder: what `gddim-tf export --stablehlo` wrote.
      name: of a module; the first by default.
      device: of JAX; the first by default.
    """

    def __init__(self, folder: str, name: str | None = None, device: Any = None) -> None:
        path = pathlib.Path(folder)
        self.description = json.loads((path / "stablehlo.json").read_text())
        module = self.description["modules"][name or next(iter(self.description["modules"]))]
        self.nfe, self.batch = module["nfe"], self.description["batch_size"]
        self.device = device or jax.devices()[0]
        options = get_compile_options(num_replicas=1, num_partitions=1)
        text = (path / module["file"]).read_text()
        self._run = self.device.client.compile_and_load(text, [self.device], options)
        weights = load_file(path / "weights.safetensors")
        self._weights = [self._put(weights[name]) for name in self.description["weights"]]

    def __call__(
        self, seed: int, first: int = 0, label: int | None = None, guidance: float = 1.0
    ) -> np.ndarray:
        """One batch `[batch, height, width, C]`: images first, first + 1, ... of a seed.

        Args:
          seed: of the draw; with the same one `model.sample` draws the same images.
          first: index of the first image.
          label: the class of all of them, for a model that has classes.
          guidance: the weight of classifier-free guidance, 1 for none.

        Raises:
          FloatingPointError: if the network returned something that is not finite.
        """
        index = np.arange(first, first + self.batch)
        inputs = [np.stack([np.full(self.batch, seed), index], axis=1).astype(np.int32)]
        if "label" in self.description["inputs"]:
            inputs.append(np.full(self.batch, label, np.int32))
            inputs.append(np.full(self.batch, guidance, np.float32))
        arguments = [*self._weights, *map(self._put, inputs)]
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
    parser.add_argument("--label", type=int, default=0, help="class, if the model has classes")
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    sampler = Sampler(options.folder, options.module)
    images = sampler(options.seed, label=options.label, guidance=options.guidance)
    np.save(options.out, images)
    print(f"{len(images)} images in {sampler.nfe} evaluations on {sampler.device}: {options.out}")


if __name__ == "__main__":
    main()
