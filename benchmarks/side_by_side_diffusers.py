"""The diffusers half of `side_by_side.py`: train, draw, and write the images.

    pip install torch==2.13.0 diffusers==0.42.1
    python benchmarks/side_by_side_diffusers.py --minutes 30

Reads `train.npz` of `side_by_side.py prepare` and writes `diffusers-N.npz` beside it.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import time

import diffusers
import numpy as np
import torch

BATCH, CLASSES, LABEL_DROPOUT = 128, 10, 0.1
LEARNING_RATE, WARMUP, EMA = 1e-3, 200, 0.999
BETAS = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02}


def main() -> None:
    """Train for some minutes, then draw by two samplers."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/side_by_side"))
    parser.add_argument("--minutes", type=float, default=30, help="of training")
    parser.add_argument("--count", type=int, default=5000, help="images per sampler")
    parser.add_argument("--nfe", type=int, default=20, help="evaluations per image")
    parser.add_argument("--bfloat16", action="store_true", help="autocast to bfloat16")
    options = parser.parse_args()
    given = options.out / "train.npz"
    if not 0 < options.minutes < math.inf:
        parser.error(f"--minutes must be finite and above 0, received {options.minutes}")
    if options.count < 4 or not 1 <= options.nfe <= BETAS["num_train_timesteps"]:
        parser.error("--count must be at least 4, and --nfe between 1 and 1000")
    if not given.exists():
        parser.error(f"{given} must be there: side_by_side.py prepare writes it")
    torch.manual_seed(0)
    with np.load(given) as arrays:
        images = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2).float() / 127.5 - 1
        labels = torch.from_numpy(arrays["labels"]).long()
    patches = torch.nn.functional.pixel_unshuffle(images, 2)
    network = unet().to(memory_format=torch.channels_last)
    steps = train(network, patches, labels, 60 * options.minutes, options.bfloat16)
    shared = {**BETAS, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}
    for number, scheduler in enumerate(
        (
            diffusers.DDIMScheduler(**shared, clip_sample=False, set_alpha_to_one=True),
            diffusers.UniPCMultistepScheduler(**shared, solver_order=3),
        )
    ):
        began = time.perf_counter()
        drawn = draw(network, scheduler, options.count, options.nfe, options.bfloat16)
        told = {
            "side": "diffusers",
            "sampler": type(scheduler).__name__,
            "steps": steps,
            "seconds": time.perf_counter() - began,
        }
        path = options.out / f"diffusers-{number}.npz"
        np.savez_compressed(path, images=drawn, told=json.dumps(told))


def unet() -> diffusers.UNet2DModel:
    """The network of `ddpm_fashion`."""
    return diffusers.UNet2DModel(
        sample_size=14,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(48, 96),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        attention_head_dim=96,
        norm_num_groups=8,
        norm_eps=1e-6,
        freq_shift=1,
        flip_sin_to_cos=False,
        downsample_padding=0,
        num_class_embeds=CLASSES + 1,
    )


def train(
    network: diffusers.UNet2DModel,
    patches: torch.Tensor,
    labels: torch.Tensor,
    seconds: float,
    bfloat16: bool,
) -> int:
    """Minimise the error of v, leave the averaged weights in the network, return the steps."""
    cumulative = diffusers.DDPMScheduler(**BETAS).alphas_cumprod
    average = [parameter.detach().clone() for parameter in network.parameters()]
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE, eps=1e-8)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / WARMUP))
    steps, began = 0, 0.0
    while not steps or time.perf_counter() - began < seconds:
        chosen = torch.randint(len(patches), (BATCH,))
        clean, told = patches[chosen], labels[chosen].clone()
        told[torch.rand(BATCH) < LABEL_DROPOUT] = CLASSES
        t = torch.randint(len(cumulative), (BATCH,))
        signal, sigma = (a.sqrt()[t][:, None, None, None] for a in (cumulative, 1 - cumulative))
        noise = torch.randn_like(clean)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            output = network(signal * clean + sigma * noise, t, told, return_dict=False)[0]
        loss = torch.mean((output.float() - (signal * noise - sigma * clean)) ** 2)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        rate.step()
        steps += 1
        decay = min(EMA, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(average, [p.detach() for p in network.parameters()], 1 - decay)
        if steps == 1:
            began = time.perf_counter()
    with torch.no_grad():
        for parameter, averaged in zip(network.parameters(), average, strict=True):
            parameter.copy_(averaged)
    return steps


@torch.no_grad()
def draw(
    network: diffusers.UNet2DModel,
    scheduler: diffusers.SchedulerMixin,
    count: int,
    nfe: int,
    bfloat16: bool,
) -> np.ndarray:
    """Images [count, 28, 28, 1], image i of class i mod 10."""
    parts, generator = [], torch.Generator().manual_seed(0)
    for first in range(0, count, 250):
        labels = torch.arange(first, min(first + 250, count)) % CLASSES
        state = torch.randn(len(labels), 4, 14, 14, generator=generator)
        scheduler.set_timesteps(nfe)
        for t in scheduler.timesteps:
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                output = network(state, t, labels, return_dict=False)[0]
            state = scheduler.step(output.float(), t, state).prev_sample
        image = torch.nn.functional.pixel_shuffle(state, 2)
        parts.append(((image + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1))
    return torch.cat(parts).numpy()


if __name__ == "__main__":
    main()
