"""Checkpoints that the `Trainer` of denoising-diffusion-pytorch saves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gddim_tf.checkpoints.families.family import Checkpoint, Meaning
from gddim_tf.checkpoints.families.torch_names import Tensors, kernel_shape
from gddim_tf.networks import AttentionArchitecture, AttentionUNet
from gddim_tf.sdes import DiscreteVPSDE, LinearSDE

_OBJECTIVES = {"pred_noise": "eps", "pred_x0": "x0", "pred_v": "v"}

# Where Sequential puts what our names call by what it does.
_PLACES = [
    (r"^(downs|ups)\.(\d+)\.3\.1\.", r"\1.\2.3."),
    (r"\.to_out\.0\.", ".to_out."),
    (r"\.to_out\.1\.g$", ".out_norm.g"),
]

# How close the weight of a step's loss must be to that of an objective, stored in float32.
_CLOSE = 1e-3


class DenoisingDiffusionPytorch:
    """Networks of denoising-diffusion-pytorch from version 2, whose blocks have RMS norms."""

    name = "denoising_diffusion_pytorch"
    network = AttentionUNet

    def recognises(self, tensors: Tensors, config: Mapping[str, Any]) -> bool:
        """Whether the names are this family's."""
        return "downs.0.0.block1.proj.weight" in _parts(tensors)

    def options(self, tensors: Tensors, config: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of `AttentionUNet`, read off the tensors.

        Args:
          tensors: the weights by name.
          config: `image_size`, which cannot be seen in the weights; `dropout` is taken over.

        Raises:
          ValueError: naming everything that stands against the import.
        """
        tensors = _parts(tensors)
        first = kernel_shape(tensors, "init_conv.weight")
        channels = kernel_shape(tensors, "final_conv.weight")[0]
        problems = []
        if config.get("image_size") is None:
            problems.append("it does not hold the image size: pass `image_size`")
        if "downs.0.0.block1.norm.g" not in tensors:
            problems.append("it is older than version 2, whose blocks have RMS norms")
        if "time_mlp.0.weights" in tensors:
            problems.append("its time embedding has learned or random frequencies")
        if first[1] != channels:
            problems.append(
                f"it has {first[1]} input and {channels} output channels, those of "
                "self-conditioning or of a learned variance"
            )
        if problems:
            raise ValueError(
                f"a checkpoint of denoising-diffusion-pytorch cannot be read: {'; '.join(problems)}"
            )
        levels = range(sum(name.endswith("2.mem_kv") for name in tensors) // 2)
        memories = [tensors[f"downs.{level}.2.mem_kv"].shape for level in levels]
        full = [f"downs.{level}.2.to_out.weight" in tensors for level in levels]
        return {
            "image_size": config["image_size"],
            "channels": channels,
            "base_channels": tensors["time_mlp.1.weight"].shape[1],
            "widths": (first[0], *(_resampling(tensors, level).shape[0] for level in levels)),
            "full_attention": full,
            "heads": [shape[1] for shape in memories],
            "head_channels": [s[3] if f else s[2] for s, f in zip(memories, full, strict=True)],
            "memory": memories[0][2] if full[0] else memories[0][3],
            "dropout": config.get("dropout", 0.0),
        }

    def weights(
        self, checkpoint: Checkpoint, architecture: AttentionArchitecture
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the tensors by our names; those without one keep theirs."""
        # the published v is the noise less the data, ours the other way round
        sign = -1.0 if _objective(checkpoint) == "pred_v" else 1.0
        tensors = _parts(checkpoint.tensors)
        for source, tensor in tensors.items():
            place = source.rpartition(".")[0]
            if source.endswith(".mem_kv"):  # of linear attention: its channels before its vectors
                linear = f"{place}.to_out.0.weight" in tensors
                yield f"{place}.memory", tensor.swapaxes(2, 3) if linear else tensor
                continue
            name = source
            for pattern, replacement in _PLACES:
                name = re.sub(pattern, replacement, name)
            place, _, leaf = name.rpartition(".")
            if leaf == "g":
                yield f"{place}.scale", tensor.reshape(-1)
            else:
                value = _kernel(source, tensor) if leaf == "weight" else tensor
                ours = f"{place}.kernel" if leaf == "weight" else name
                yield ours, sign * value if place == "final_conv" else value

    def meaning(self, checkpoint: Checkpoint) -> Meaning:
        """The index of a discrete time, and the objective, which the weights of the loss tell."""
        return Meaning("index", _OBJECTIVES[_objective(checkpoint)])

    def diffusion(self, checkpoint: Checkpoint, architecture: AttentionArchitecture) -> LinearSDE:
        """The table of betas that the checkpoint holds."""
        return DiscreteVPSDE(_buffer(checkpoint, "betas"))


def _parts(tensors: Tensors) -> dict[str, np.ndarray]:
    """The network's tensors, without the buffers of the diffusion around it."""
    inner = {
        name.removeprefix("model."): tensor
        for name, tensor in tensors.items()
        if name.startswith("model.")
    }
    return inner or dict(tensors)


def _resampling(tensors: Tensors, level: int) -> np.ndarray:
    """The convolution that ends a level, inside a Sequential where it changes the resolution."""
    name = f"downs.{level}.3.1.weight"
    return tensors[name if name in tensors else f"downs.{level}.3.weight"]


def _kernel(name: str, tensor: np.ndarray) -> np.ndarray:
    """A kernel in our layout; that after space to depth as one of 2 x 2 taps."""
    if tensor.ndim == 2:
        return tensor.T
    if re.fullmatch(r"downs\.\d+\.3\.1\.weight", name):
        tensor = tensor.reshape(len(tensor), -1, 2, 2)
    return tensor.transpose(2, 3, 1, 0)


def _buffer(checkpoint: Checkpoint, name: str) -> np.ndarray:
    if name not in checkpoint.tensors:
        raise ValueError(
            f"the checkpoint must hold {name!r}, as those of `Trainer` and `GaussianDiffusion` do"
        )
    return checkpoint.tensors[name].astype(np.float64)


def _objective(checkpoint: Checkpoint) -> str:
    """What the network predicts, from the weights of the loss where SNR is moderate."""
    betas, weights = _buffer(checkpoint, "betas"), _buffer(checkpoint, "loss_weight")
    alpha = np.cumprod(1 - betas)
    snr = alpha / (1 - alpha)
    step = int(np.argmin(np.abs(np.log(snr / 0.4))))
    expected = {
        "pred_noise": 1.0,
        "pred_x0": snr[step],
        "pred_v": snr[step] / (1 + snr[step]),
    }
    found = min(expected, key=lambda name: abs(expected[name] - weights[step]))
    if abs(expected[found] - weights[step]) > _CLOSE:
        raise ValueError(
            f"the loss of a step has the weight {weights[step]:.4g}, which is none of the "
            f"objectives {expected}"
        )
    return found
