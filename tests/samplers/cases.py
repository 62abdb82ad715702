"""Every diffusion and every sampler, for the tests that run over all pairs."""

import numpy as np

from gddim_tf.samplers import (
    DDIM,
    DEIS,
    FON,
    FPNDM,
    GDDIM,
    IPNDM,
    PLMS,
    SPNDM,
    SSCS,
    Ancestral,
    DPMSolver,
    Euler,
    EulerMaruyama,
    Heun,
    RhoRK,
    StochasticGDDIM,
    UniPC,
)
from gddim_tf.sdes import BDM, CLD, VESDE, VPSDE, CosineVPSDE, DiscreteVPSDE

SDES = {
    "vp": VPSDE(),
    "cosine": CosineVPSDE(),
    "discrete": DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000)),
    "ve": VESDE(),
    "karras": VESDE.karras(),
    "cld": CLD(),
    "bdm": BDM(4),
}

SAMPLERS = {
    "ddim": DDIM(),
    "gddim_0": GDDIM(order=0),
    "gddim_2": GDDIM(),
    "gddim_3_rho": GDDIM(order=3, variable="rho"),
    "gddim_L": GDDIM(root="L"),
    "gddim_pece": GDDIM(corrector="pece"),
    "gddim_free": GDDIM(corrector="free", corrector_order=3),
    "gddim_start": GDDIM(order=3, start="single_step", variable="sqrt_t"),
    "gddim_denoise": GDDIM(denoise=True),
    "gddim_lam": StochasticGDDIM(lam=0.5),
    "gddim_lam_1": StochasticGDDIM(lam=1.0),
    "deis": DEIS(),
    "deis_rho_ab": DEIS(variant="rho_ab"),
    "deis_rho_rk": DEIS(variant="rho_rk", method="3heun"),
    "rho_rk_4": RhoRK(method="4rk", last="euler"),
    "euler": Euler(),
    "heun": Heun(),
    "heun_rho": Heun(flow="rho"),
    "ddim_eta": DDIM(eta=0.5),
    "ddim_clip": DDIM(clip=1.0),
    "ipndm": IPNDM(),
    "plms": PLMS(),
    "s_pndm": SPNDM(),
    "f_pndm": FPNDM(),
    "fon": FON(),
    "dpm_solver_2": DPMSolver(),
    "dpm_solver_3": DPMSolver(order=3, formula="polynomial"),
    "dpm_solver_eps": DPMSolver(order=3, prediction="eps"),
    "dpm_solver_clip": DPMSolver(clip=1.0),
    "unipc_2": UniPC(),
    "unipc_3": UniPC(order=3, variant="bh1"),
    "euler_maruyama": EulerMaruyama(),
    "ancestral": Ancestral(),
    "ancestral_clip": Ancestral(variance="large", clip=1.0),
    "sscs": SSCS(),
}

# What cannot be: no noise, and so no evaluation, where the discrete schedule ends; DDIM's eta with
# more components than one; clipping where states are not pixels.
IMPOSSIBLE = {
    ("discrete", "gddim_denoise"),
    ("cld", "ddim_eta"),
    *(("bdm", clipping) for clipping in ("ddim_clip", "dpm_solver_clip", "ancestral_clip")),
}

# The diffusions of one sampler follow each other, because most of them run in the same graph.
PAIRS = [(sde, sampler) for sampler in SAMPLERS for sde in SDES if (sde, sampler) not in IMPOSSIBLE]


def budget(sampler, least):
    """The smallest number of evaluations from `least` on that the sampler can spend."""
    for nfe in range(least, least + 64):
        try:
            sampler.steps_of(nfe)
        except ValueError:
            continue
        return nfe
    raise AssertionError(f"{sampler} takes no budget from {least} to {least + 63}")
