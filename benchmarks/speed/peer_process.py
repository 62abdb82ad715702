"""The peer: reads jobs as lines of JSON and answers with the seconds they took.

Runs in the environment of scripts/peer.sh, without this package. The networks are diffusers'
UNet2DModel, in channels_last, with weights made at random: as google/ddpm-cifar10-32 has it (35.7M
of them), and as wide and deep as the small ones of this package (of clothes, by patches).
"""

from __future__ import annotations

import collections
import functools
import json
import sys
import time
from collections.abc import Callable
from typing import Any

try:
    import diffusers
    import torch
except ImportError as error:
    sys.exit(f"{sys.executable} must have torch and diffusers (scripts/peer.sh): {error}")

_CIFAR10 = {
    "sample_size": 32,
    "in_channels": 3,
    "out_channels": 3,
    "freq_shift": 1,
    "flip_sin_to_cos": False,
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (128, 256, 256, 256),
    "downsample_padding": 0,
    "attention_head_dim": None,
    "norm_eps": 1e-6,
}
_SMALL = {
    "freq_shift": 1,
    "flip_sin_to_cos": False,
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "downsample_padding": 0,
    "attention_head_dim": None,
    "norm_eps": 1e-6,
}
_ATTENDING = {
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
}
_PLAIN = {
    "down_block_types": ("DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D"),
}


def _of_small(side: int, channels: int, width: int) -> dict[str, Any]:
    """What differs between the small networks."""
    widths = {"block_out_channels": (width, 2 * width)}
    return {"sample_size": side, "in_channels": channels, "out_channels": channels, **widths}


_NETWORKS = {
    "ddpm_cifar10": _CIFAR10,
    "ddpm_digits": {**_SMALL, **_of_small(8, 1, 24), **_ATTENDING},
    "ddpm_fashion": {**_SMALL, **_of_small(14, 4, 48), **_PLAIN},
}
_DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
_BETAS = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02}
_SCHEDULERS: dict[str, Callable[[], diffusers.SchedulerMixin]] = {
    "DDIM": lambda: diffusers.DDIMScheduler(**_BETAS, clip_sample=False),
    "DEIS": lambda: diffusers.DEISMultistepScheduler(**_BETAS, solver_order=3),
    "DPM-Solver++": lambda: diffusers.DPMSolverMultistepScheduler(**_BETAS, solver_order=2),
    "UniPC": lambda: diffusers.UniPCMultistepScheduler(**_BETAS, solver_order=2),
    "Heun": lambda: diffusers.HeunDiscreteScheduler(**_BETAS),
    "PNDM": lambda: diffusers.PNDMScheduler(**_BETAS),
}


@functools.cache
def _network(name: str) -> torch.nn.Module:
    network = diffusers.UNet2DModel(**_NETWORKS[name])
    return network.eval().to(_DEVICE, memory_format=torch.channels_last)


def _precision(dtype: str) -> torch.autocast:
    return torch.autocast(_DEVICE, torch.bfloat16, enabled=dtype == "bfloat16")


def evaluation(batch: int, dtype: str, network: str = "ddpm_cifar10") -> float:
    """Seconds of one evaluation of a network, on a GPU if there is one."""
    side, channels = _NETWORKS[network]["sample_size"], _NETWORKS[network]["in_channels"]
    images = torch.randn(batch, channels, side, side, device=_DEVICE)
    images = images.contiguous(memory_format=torch.channels_last)
    time_label, made = torch.full((batch,), 500, device=_DEVICE), _network(network)
    with torch.inference_mode(), _precision(dtype):
        start = time.perf_counter()
        made(images, time_label, return_dict=False)[0].cpu()  # which waits for a GPU
        return time.perf_counter() - start


def operations(batch: int, dtype: str, runs: int) -> dict[str, float]:
    """Milliseconds in one evaluation of each kind of operation, by the least of each shape."""
    evaluation(batch, dtype)
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, record_shapes=True) as profile:
        for _ in range(runs):
            evaluation(batch, dtype)
    found = collections.defaultdict(list)
    for event in profile.events():
        found[event.name, str(event.input_shapes)].append(event.self_cpu_time_total / 1e3)
    sums: dict[str, float] = collections.defaultdict(float)
    for (name, _), times in found.items():
        sums[name] += min(times) * len(times) / runs
    return sums


@functools.cache
def _trainer() -> tuple[torch.nn.Module, torch.optim.Optimizer, list[torch.Tensor]]:
    network = diffusers.UNet2DModel(**_CIFAR10, dropout=0.1).train()
    network = network.to(_DEVICE, memory_format=torch.channels_last)
    average = [parameter.detach().clone() for parameter in network.parameters()]
    return network, torch.optim.Adam(network.parameters(), 1e-4), average


def training(batch: int, dtype: str) -> float:
    """Seconds of one training step, with Adam and an average of the weights."""
    start = time.perf_counter()
    network, optimizer, average = _trainer()
    noise = torch.randn(batch, 3, 32, 32, device=_DEVICE)
    images = torch.randn_like(noise).contiguous(memory_format=torch.channels_last)
    time_label = torch.randint(0, 1000, (batch,), device=_DEVICE)
    with _precision(dtype):
        output = network(images + noise, time_label, return_dict=False)[0]
    loss = (output.float() - noise).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    torch._foreach_lerp_(average, [p.detach() for p in network.parameters()], 1e-4)
    average[-1].cpu()  # which waits for a GPU
    return time.perf_counter() - start


def scheduler(name: str, eta: float, batch: int, steps: int) -> float:
    """Seconds of a scheduler's own work in one evaluation, the network left out."""
    made = _SCHEDULERS[name]()
    made.set_timesteps(steps)
    options = {"eta": eta} if name == "DDIM" else {}
    state = torch.randn(batch, 3, 32, 32) * float(made.init_noise_sigma)
    start = time.perf_counter()
    for label in made.timesteps:
        output = made.scale_model_input(state, label)
        state = made.step(output, label, state, **options, return_dict=False)[0]
    return (time.perf_counter() - start) / len(made.timesteps)


def versions() -> str:
    """What this is."""
    return f"PyTorch {torch.__version__}, diffusers {diffusers.__version__}"


_JOBS = {job.__name__: job for job in (evaluation, operations, training, scheduler, versions)}


def main() -> None:
    """Answer until there is nothing more to read."""
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(_JOBS[request.pop("job")](**request)), flush=True)


if __name__ == "__main__":
    main()
