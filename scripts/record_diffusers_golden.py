"""Record what diffusers' DDIM pipeline makes of a tiny network, for the test of the import.

For developers only, with torch and diffusers installed, which the package does not need:

    python scripts/record_diffusers_golden.py

It writes `tests/golden/diffusers_pipeline.npz`: the noise of the first step and the images of
`DDIMPipeline` after 10 steps, with the network of `unet_diffusers_ddpm32_a.npz`.
"""

import json
import pathlib

import diffusers
import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parents[1] / "tests" / "golden"
SEED, STEPS, COUNT = 0, 10, 2


def main() -> None:
    """Run the pipeline and write the file."""
    golden = np.load(FOLDER / "unet_diffusers_ddpm32_a.npz")
    network = diffusers.UNet2DModel(**json.loads(str(golden["config"])))
    state, start = {}, 0
    for name, shape in json.loads(str(golden["shapes"])).items():
        stop = start + int(np.prod(shape))
        state[name] = torch.tensor(golden["weights"][start:stop].reshape(shape).astype("float32"))
        start = stop
    network.load_state_dict(state)
    scheduler = diffusers.DDIMScheduler(
        num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, clip_sample=False
    )
    pipeline = diffusers.DDIMPipeline(unet=network.eval(), scheduler=scheduler)
    pipeline.set_progress_bar_config(disable=True)
    images = pipeline(
        batch_size=COUNT,
        generator=torch.Generator().manual_seed(SEED),
        num_inference_steps=STEPS,
        output_type="np",
    ).images
    shape = (COUNT, network.config.in_channels, *(network.config.sample_size,) * 2)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(SEED)).numpy()
    np.savez_compressed(
        FOLDER / "diffusers_pipeline.npz",
        noise=noise.transpose(0, 2, 3, 1),
        images=images.astype(np.float32),
        versions=f"diffusers {diffusers.__version__}, torch {torch.__version__}",
    )
    inside = np.mean((images > 0) & (images < 1))
    print(f"{images.shape}, {inside:.0%} of the values inside (0, 1)")


if __name__ == "__main__":
    main()
