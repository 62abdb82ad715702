"""Record what diffusers' DDIM pipeline makes of a tiny network, for the test of the import.

For developers only, with torch and diffusers installed, which the package does not need:

    python -m tests.recording.diffusers

It writes `tests/golden/diffusers_pipeline.npz`: the noise at the start and what `DDIMPipeline`
has after 10 steps, before it clips, with the network of `unet_diffusers_ddpm32_a.npz`.
"""

import diffusers
import numpy as np
import torch

from tests.checkpoints.goldens import FOLDER, golden

SEED, STEPS, COUNT = 0, 10, 2


def main() -> None:
    """Run the pipeline and write the file."""
    reference = golden("unet_diffusers_ddpm32_a")
    network = diffusers.UNet2DModel(**reference.config)
    state = {name: torch.tensor(tensor) for name, tensor in reference.tensors.items()}
    network.load_state_dict(state)
    scheduler = diffusers.DDIMScheduler(
        num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, clip_sample=False
    )
    pipeline = diffusers.DDIMPipeline(unet=network.eval(), scheduler=scheduler)
    steps, step = [], pipeline.scheduler.step

    def recorded(*arguments: object, **options: object) -> object:
        steps.append(step(*arguments, **options))
        return steps[-1]

    pipeline.scheduler.step = recorded  # the pipeline itself clips its images to [0, 1]
    pipeline.set_progress_bar_config(disable=True)
    pipeline(
        batch_size=COUNT,
        generator=torch.Generator().manual_seed(SEED),
        num_inference_steps=STEPS,
        output_type="np",
    )
    images = steps[-1].prev_sample.numpy().transpose(0, 2, 3, 1)
    shape = (COUNT, network.config.in_channels, *(network.config.sample_size,) * 2)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(SEED)).numpy()
    np.savez_compressed(
        FOLDER / "diffusers_pipeline.npz",
        noise=noise.transpose(0, 2, 3, 1),
        images=images.astype(np.float32),
        versions=f"diffusers {diffusers.__version__}, torch {torch.__version__}",
    )
    print(f"{images.shape}, {len(steps)} steps, standard deviation {images.std():.2f}")


if __name__ == "__main__":
    main()
