"""Record a checkpoint of denoising-diffusion-pytorch, and what its model makes of noise.

For developers only, with torch and denoising-diffusion-pytorch installed:

    python -m tests.recording.denoising_diffusion_pytorch

It writes `tests/golden/denoising_diffusion_pytorch.pt.gz`, what `Trainer.save` puts into a file,
and `denoising_diffusion_pytorch.npz`: outputs of the averaged network, the end of ten steps of
DDIM, and the table and loss weights of every objective.
"""

import gzip
import io
import itertools

import numpy as np
import torch
from denoising_diffusion_pytorch.denoising_diffusion_pytorch import (
    EMA,
    GaussianDiffusion,
    Unet,
    __version__,
)

from tests.checkpoints.goldens import FOLDER

NETWORK = {
    "dim": 4,
    "init_dim": 6,
    "dim_mults": (1, 1, 2),
    "channels": 3,
    "full_attn": (False, True, False),
    "attn_heads": (1, 2, 3),
    "attn_dim_head": (4, 3, 2),
    "dropout": 0.1,
}
STEPS, SIZE = 100, (8, 12)
OBJECTIVES, SCHEDULES = ("pred_noise", "pred_x0", "pred_v"), ("linear", "cosine", "sigmoid")


def main():
    """Train for three steps on noise, and write both files."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    diffusion = GaussianDiffusion(
        Unet(**NETWORK), image_size=SIZE, timesteps=STEPS, sampling_timesteps=10
    )
    with torch.no_grad():
        for parameter in diffusion.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    average = EMA(diffusion, beta=0.5, update_every=1, update_after_step=0)
    optimizer = torch.optim.Adam(diffusion.parameters(), lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        diffusion(torch.rand(2, 3, *SIZE)).backward()
        optimizer.step()
        average.update()
    saved = {
        "step": 3,
        "model": diffusion.state_dict(),
        "opt": {**optimizer.state_dict(), "state": {}},  # as large as the network, and not read
        "ema": average.state_dict(),
        "scaler": None,
        "version": __version__,
    }
    file = io.BytesIO()
    torch.save(saved, file)
    packed = gzip.compress(file.getvalue(), mtime=0)
    (FOLDER / "denoising_diffusion_pytorch.pt.gz").write_bytes(packed)
    record = {"versions": f"denoising-diffusion-pytorch {__version__}, torch {torch.__version__}"}
    x, time = torch.randn(3, 3, *SIZE), torch.tensor([0, 37, 99])
    for name, model in (("average", average.ema_model), ("raw", diffusion)):
        with torch.no_grad():
            record[f"y_{name}"] = model.eval().model(x, time).numpy()
    torch.manual_seed(1)
    record["images"] = average.ema_model.sample(batch_size=2).numpy()
    torch.manual_seed(1)
    record["start"] = torch.randn(2, 3, *SIZE).numpy()
    for objective, schedule, clipped in itertools.product(OBJECTIVES, SCHEDULES, (False, True)):
        other = GaussianDiffusion(
            Unet(4, channels=1, dim_mults=(1, 2)),
            image_size=8,
            timesteps=STEPS,
            objective=objective,
            beta_schedule=schedule,
            min_snr_loss_weight=clipped,
        )
        name = f"{objective}_{schedule}_{clipped:d}"
        record[name] = np.stack([other.betas.numpy(), other.loss_weight.numpy()])
    np.savez_compressed(
        FOLDER / "denoising_diffusion_pytorch.npz", x=x.numpy(), time=time.numpy(), **record
    )


if __name__ == "__main__":
    main()
