"""Record what diffusers' schedulers of many settings make of one network.

For developers only, with torch and diffusers installed, which the package does not need:

    python -m tests.recording.scheduler_settings

It writes `tests/golden/scheduler_settings.npz`: the settings, the time steps and the image after
ten steps, with the network of `tests/golden/diffusers_digits` in double precision. What the network
was trained for does not matter here: its output is taken for what each scheduler says it is.
"""

import json

import diffusers
import numpy as np
import torch

from tests.checkpoints.goldens import FOLDER

STEPS = 10
FLOW, DDIM = diffusers.FlowMatchEulerDiscreteScheduler, diffusers.DDIMScheduler
PLAIN = {"clip_sample": False}
TRAILING = {"timestep_spacing": "trailing", **PLAIN}
V = {"prediction_type": "v_prediction"}
CASES = {
    "flow": (FLOW, {}),
    "flow_shift": (FLOW, {"shift": 3.0}),
    "flow_hundred": (FLOW, {"shift": 2.0, "num_train_timesteps": 100}),
    "zero_snr": (DDIM, {"rescale_betas_zero_snr": True, **TRAILING, **V}),
    "zero_snr_scaled": (
        DDIM,
        {"rescale_betas_zero_snr": True, "beta_schedule": "scaled_linear", **TRAILING, **V},
    ),
    "offset": (DDIM, {"steps_offset": 1, "set_alpha_to_one": False, **PLAIN}),
    "hundred": (
        DDIM,
        {
            "num_train_timesteps": 100,
            "beta_schedule": "squaredcos_cap_v2",
            "prediction_type": "sample",
            **PLAIN,
        },
    ),
    "five_hundred": (DDIM, {"num_train_timesteps": 500, **TRAILING, **V}),
    "trained": (
        DDIM,
        {
            "trained_betas": np.linspace(1e-3, 0.07, 200).tolist(),
            "num_train_timesteps": 200,
            **PLAIN,
        },
    ),
    "range": (DDIM, {"clip_sample": True, "clip_sample_range": 0.6}),
    "threshold": (
        DDIM,
        {
            "thresholding": True,
            "dynamic_thresholding_ratio": 0.9,
            "sample_max_value": 1.5,
            **PLAIN,
        },
    ),
}


@torch.no_grad()
def main():
    """Run every scheduler, and write the file."""
    torch.set_num_threads(1)
    pipeline = diffusers.DDPMPipeline.from_pretrained(FOLDER / "diffusers_digits")
    model = pipeline.unet.to(torch.float64).eval()
    start = np.load(FOLDER / "diffusers_digits.npz")["start"].transpose(0, 3, 1, 2)
    arrays, settings = {}, {}
    for name, (kind, options) in CASES.items():
        scheduler = kind(**options)
        scheduler.set_timesteps(STEPS)
        x = torch.tensor(start, dtype=torch.float64)
        for time in scheduler.timesteps:
            x = scheduler.step(model(x, time).sample, time, x).prev_sample.to(torch.float64)
        arrays[name] = x.numpy().transpose(0, 2, 3, 1)
        arrays[f"{name}_times"] = scheduler.timesteps.numpy()
        settings[name] = json.loads(scheduler.to_json_string())
    versions = f"diffusers {diffusers.__version__}, torch {torch.__version__}"
    np.savez_compressed(
        FOLDER / "scheduler_settings.npz",
        settings=json.dumps(settings),
        versions=versions,
        **arrays,
    )
    print({name: f"{np.abs(value).max():.2f}" for name, value in arrays.items()})


if __name__ == "__main__":
    main()
