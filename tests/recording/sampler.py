"""Record published samplers on data whose score is known, for the tests of grids and samplers.

For developers only, with torch and diffusers installed, and the file `sampling.py` of k-diffusion:

    python -m tests.recording.sampler --k-diffusion path/to/k_diffusion/sampling.py

It writes `tests/golden/diffusers_timesteps.npz`, the time steps of diffusers' schedulers, and
`tests/golden/peer_samplers.npz`, where runs of diffusers and k-diffusion end in float64, with the
noise that they were given. The problems are those of `discrete_peers_linear.npz` (diffusers) and
`deis_ve_traj.npz` (k-diffusion).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import itertools
import pathlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers.schedulers import scheduling_sasolver

from gddim_tf.sdes import VESDE, VPSDE
from tests.oracles import Mixture
from tests.samplers.problems import GOLDEN, golden

LISTS = {
    "ddim": diffusers.DDIMScheduler,
    "euler": diffusers.EulerDiscreteScheduler,
    "ancestral": diffusers.EulerAncestralDiscreteScheduler,
    "dpm": diffusers.DPMSolverMultistepScheduler,
    "unipc": diffusers.UniPCMultistepScheduler,
    "deis": diffusers.DEISMultistepScheduler,
}
SPACINGS = ("leading", "trailing", "linspace")
STEPS = (5, 10, 20)
SIGMAS = (80.0 ** (1 / 7) + np.arange(13) / 12 * (0.002 ** (1 / 7) - 80.0 ** (1 / 7))) ** 7


def main() -> None:
    """Run everything and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--k-diffusion", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    with in_double_precision():
        lists, ends = dict(time_steps()), dict(discrete_runs())
        ends.update(karras_runs(load(arguments.k_diffusion)))
    np.savez_compressed(GOLDEN / "diffusers_timesteps.npz", **lists)
    versions = f"diffusers {diffusers.__version__}, torch {torch.__version__}, k-diffusion 0.1.1"
    np.savez_compressed(
        GOLDEN / "peer_samplers.npz", sigmas=SIGMAS, noise=noise(), versions=versions, **ends
    )
    print(f"{len(lists)} lists, {len(ends)} runs, {versions}")


@contextlib.contextmanager
def in_double_precision() -> Iterator[None]:
    """The schedulers name float32 in many places; here that is float64."""
    singles = torch.float32, np.float32
    torch.float32, np.float32 = torch.float64, np.float64
    try:
        yield
    finally:
        torch.float32, np.float32 = singles


def load(path: pathlib.Path) -> types.ModuleType:
    """k-diffusion's samplers alone, without what the rest of that package imports."""
    for name in ("k_diffusion", "k_diffusion.utils", "torchsde", "torchdiffeq"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["torchdiffeq"].odeint = None
    sys.modules["k_diffusion.utils"].append_dims = lambda x, axes: x
    sys.modules["k_diffusion"].utils = sys.modules["k_diffusion.utils"]
    spec = importlib.util.spec_from_file_location("k_diffusion.sampling", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def noise() -> np.ndarray:
    """Standard normal draws for every run, `[draws, batch, d]`."""
    return np.random.default_rng(3).standard_normal((32, 8, 2))


def time_steps() -> Iterator[tuple[str, np.ndarray]]:
    """`scheduler_spacing_offset_total_steps` and the list."""
    for name, spacing, offset, total, steps in itertools.product(
        LISTS, SPACINGS, (0, 1), (100, 1000), (1, 7, 10, 50)
    ):
        scheduler = LISTS[name](
            num_train_timesteps=total, timestep_spacing=spacing, steps_offset=offset
        )
        scheduler.set_timesteps(steps)
        yield f"{name}_{spacing}_{offset}_{total}_{steps}", scheduler.timesteps.numpy()


def discrete_runs() -> Iterator[tuple[str, np.ndarray]]:
    """The runs of diffusers, on the linear schedule."""
    z = golden("discrete_peers_linear")
    data = Mixture(VPSDE.from_betas(z["betas"]), z["gmm_w"], z["gmm_mu"], z["gmm_cov"])
    start = torch.tensor(z["x_T"])
    common = {"trained_betas": z["betas"]}
    threshold = {"thresholding": True, "dynamic_thresholding_ratio": 0.7, "sample_max_value": 1.5}
    clip = {"clip_sample": True, "clip_sample_range": 1.0}
    plain = {"clip_sample": False}
    ddim, dpm = diffusers.DDIMScheduler, diffusers.DPMSolverMultistepScheduler
    draws = {"variance_noise": True}
    sde = {"algorithm_type": "sde-dpmsolver++"}
    sa = diffusers.SASolverScheduler
    runs: dict[str, tuple[type, dict[str, Any], dict[str, Any]]] = {
        "ddim_clip_raw": (ddim, clip, {}),
        "ddim_clip_raw_eta": (ddim, clip, {"eta": 0.5, **draws}),
        "ddim_threshold_raw": (ddim, plain | threshold, {}),
        "ddim_threshold_clipped": (ddim, plain | threshold, {"use_clipped_model_output": True}),
        "dpm_threshold": (dpm, threshold, {}),
        "sde_dpm_midpoint": (dpm, sde, draws),
        "sde_dpm_heun": (dpm, sde | {"solver_type": "heun"}, draws),
        "sa_22": (sa, {}, {}),
        "sa_33": (sa, {"predictor_order": 3, "corrector_order": 3}, {}),
        "sa_13": (sa, {"predictor_order": 1, "corrector_order": 3}, {}),
        "sa_22_always": (sa, {"tau_func": lambda t: 0.6}, {}),
    }
    for (name, (kind, settings, options)), steps in itertools.product(runs.items(), STEPS):
        scheduler = kind(**common, **settings)
        scheduler.set_timesteps(steps)
        rows = iter(torch.tensor(noise()))
        scheduling_sasolver.randn_tensor = lambda *_, rows=rows, **__: next(rows)[..., None]
        x = start.clone()
        for t in scheduler.timesteps:
            eps = torch.tensor(data.eps(x.numpy(), float(t) + 1.0))
            given = dict(options)
            if "variance_noise" in given:
                given["variance_noise"] = next(rows)
            # a threshold looks at all axes but the first, of which it expects more than one
            given = {
                name: tensor[..., None] if name in draws else tensor
                for name, tensor in given.items()
            }
            x = scheduler.step(eps[..., None], t, x[..., None], **given).prev_sample[..., 0]
        yield f"{name}_N{steps}", x.numpy()
        yield f"{name}_N{steps}_timesteps", scheduler.timesteps.numpy()


def karras_runs(sampling: types.ModuleType) -> Iterator[tuple[str, np.ndarray]]:
    """The runs of k-diffusion, on the noise levels of EDM."""
    z = golden("deis_ve_traj")
    sde = VESDE.karras()
    data = Mixture(sde, z["gmm_w"], z["gmm_mean"], z["gmm_cov"])
    start = torch.tensor(80.0 * np.random.default_rng(4).standard_normal((8, 2)))

    def denoiser(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        level = float(sigma[0])
        return x - level * torch.tensor(data.eps(x.numpy(), level))

    churn = {"s_churn": 8.0, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.003}
    runs: dict[str, tuple[Callable[..., torch.Tensor], dict[str, Any]]] = {
        "k_euler_churn": (sampling.sample_euler, churn),
        "k_heun_churn": (sampling.sample_heun, churn),
        "k_2m_sde_midpoint": (sampling.sample_dpmpp_2m_sde, {"solver_type": "midpoint"}),
        "k_2m_sde_heun": (sampling.sample_dpmpp_2m_sde, {"solver_type": "heun"}),
        "k_2m_sde_half": (sampling.sample_dpmpp_2m_sde, {"eta": 0.25}),
        "k_3m_sde": (sampling.sample_dpmpp_3m_sde, {}),
        "k_3m_sde_half": (sampling.sample_dpmpp_3m_sde, {"eta": 0.25}),
    }
    sigmas = torch.tensor(np.append(SIGMAS, 0.0))
    yield "k_start", start.numpy()
    for name, (sampler, options) in runs.items():
        rows = iter(torch.tensor(noise()))
        if "s_churn" in options:
            sampling.torch.randn_like = lambda x, rows=rows: next(rows)
        else:
            options = {**options, "noise_sampler": lambda *_, rows=rows: next(rows)}
        yield name, sampler(denoiser, start.clone(), sigmas, disable=True, **options).numpy()


if __name__ == "__main__":
    main()
