"""Train a small model by diffusers' own training loop, and record what its pipelines draw.

For developers only, with torch, diffusers and scikit-learn installed, which the package does not
need:

    python scripts/train_with_diffusers.py

The loop is that of the library's unconditional example: `DDPMScheduler`, AdamW, a cosine learning
rate with warm-up, `EMAModel` and the mean squared error of the noise, on the 8 x 8 digits. It
writes `tests/golden/diffusers_digits/`, the pipeline as `save_pretrained` leaves it (weights as
float16), and `tests/golden/diffusers_digits.npz`: a start noise, the noise of the ancestral sampler
and what every scheduler, with the spacing that is its own default, makes of them. Heun's clipping
of the image is turned off.
"""

from __future__ import annotations

import argparse
import pathlib

import diffusers
import numpy as np
import torch
from diffusers.optimization import get_cosine_schedule_with_warmup
from diffusers.schedulers import scheduling_euler_ancestral_discrete
from diffusers.training_utils import EMAModel
from sklearn.datasets import load_digits

FOLDER = pathlib.Path(__file__).parents[1] / "tests" / "golden"
NAME = "diffusers_digits"
BATCH, COUNT, STEPS = 32, 2, (10, 20, 50)
SCHEDULERS: dict[str, tuple[type, dict]] = {
    "ddim": (diffusers.DDIMScheduler, {}),
    "pndm": (diffusers.PNDMScheduler, {}),
    "plms": (diffusers.PNDMScheduler, {"skip_prk_steps": True}),
    "deis": (diffusers.DEISMultistepScheduler, {}),
    "dpm": (diffusers.DPMSolverMultistepScheduler, {}),
    "unipc": (diffusers.UniPCMultistepScheduler, {}),
    "heun": (diffusers.HeunDiscreteScheduler, {"clip_sample": False}),
    "euler": (diffusers.EulerDiscreteScheduler, {}),
    "ancestral": (diffusers.EulerAncestralDiscreteScheduler, {}),
}


def network() -> diffusers.UNet2DModel:
    """A network of the library's defaults but for its size."""
    return diffusers.UNet2DModel(
        sample_size=8,
        in_channels=1,
        out_channels=1,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )


def train(steps: int) -> diffusers.DDPMPipeline:
    """Train and return the pipeline with the average of the weights."""
    torch.manual_seed(0)
    images = torch.tensor(load_digits().images[:1500, None] / 8 - 1, dtype=torch.float32)
    model, scheduler = network(), diffusers.DDPMScheduler()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    rate = get_cosine_schedule_with_warmup(optimizer, steps // 10, steps)
    average = EMAModel(model.parameters(), decay=0.995, use_ema_warmup=True)
    for step in range(steps):
        clean = images[torch.randint(len(images), (BATCH,))]
        noise = torch.randn_like(clean)
        times = torch.randint(scheduler.config.num_train_timesteps, (BATCH,))
        loss = torch.nn.functional.mse_loss(
            model(scheduler.add_noise(clean, noise, times), times).sample, noise
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        optimizer.zero_grad()
        average.step(model.parameters())
        if step % 100 == 0:
            print(f"step {step}: {loss.item():.4f}", flush=True)
    average.copy_to(model.parameters())
    return diffusers.DDPMPipeline(unet=model.eval(), scheduler=scheduler)


@torch.no_grad()
def draw(model: torch.nn.Module, scheduler: object, start: torch.Tensor, steps: int) -> np.ndarray:
    """What a pipeline does, without the clipping at its end."""
    scheduler.set_timesteps(steps)
    x = start * scheduler.init_noise_sigma
    for time in scheduler.timesteps:
        x = scheduler.step(model(scheduler.scale_model_input(x, time), time).sample, time, x)
        x = x.prev_sample
    return x.numpy().transpose(0, 2, 3, 1)


def main() -> None:
    """Train, save, read again as people do, and record."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--steps", type=int, default=400, help="of training; 0 to record again")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.steps:
        train(arguments.steps).to(dtype=torch.float16).save_pretrained(FOLDER / NAME)
    pipeline = diffusers.DDPMPipeline.from_pretrained(FOLDER / NAME)
    model = pipeline.unet.to(torch.float32).eval()
    torch.manual_seed(1)
    start = torch.randn(COUNT, 1, 8, 8)
    draws = torch.randn(max(STEPS), COUNT, 1, 8, 8)
    arrays = {"start": start.numpy(), "draws": draws.numpy()}
    for name, (kind, options) in SCHEDULERS.items():
        for steps in STEPS:
            rows = iter(draws)
            scheduling_euler_ancestral_discrete.randn_tensor = lambda *_, rows=rows, **__: next(
                rows
            )
            scheduler = kind.from_config(pipeline.scheduler.config, **options)
            spacing = type(scheduler)(**options).config.timestep_spacing
            scheduler.register_to_config(timestep_spacing=spacing)
            arrays[f"{name}_{steps}"] = draw(model, scheduler, start, steps)
    arrays = {
        name: value.transpose(*range(value.ndim - 3), -2, -1, -3)
        if name in ("start", "draws")
        else value
        for name, value in arrays.items()
    }
    versions = f"diffusers {diffusers.__version__}, torch {torch.__version__}"
    np.savez_compressed(FOLDER / f"{NAME}.npz", versions=versions, **arrays)
    print({name: f"{np.abs(value).max():.2f}" for name, value in arrays.items()})


if __name__ == "__main__":
    main()
