"""Every diffusion and every sampler, for the tests that run over all pairs."""

import numpy as np

from gddim_tf.samplers import (
    DDIM,
    DEIS,
    ERSDE,
    FON,
    FPNDM,
    GDDIM,
    IPNDM,
    PLMS,
    SPNDM,
    SSCS,
    Ancestral,
    DPMSolver,
    EDMChurn,
    Euler,
    EulerMaruyama,
    Heun,
    Restart,
    RhoRK,
    SASolver,
    SDEDPMSolver,
    StochasticGDDIM,
    UniPC,
)
from gddim_tf.sdes import (
    BDM,
    CLD,
    HOLD,
    PSLD,
    VESDE,
    VPSDE,
    CosineVPSDE,
    DiscreteVPSDE,
    RectifiedFlow,
)

SDES = {
    "vp": VPSDE(),
    "cosine": CosineVPSDE(),
    "discrete": DiscreteVPSDE(np.linspace(1e-4, 0.02, 1000)),
    "ve": VESDE(),
    "karras": VESDE.karras(),
    "cld": CLD(),
    "bdm": BDM(4),
    "psld": PSLD(),
    "hold": HOLD(),
}

# Nothing is left of the data at t_max, where the network returns the predicted data.
SIGNAL_FREE = {"flow": RectifiedFlow(shift=3.0), "zero_snr": VPSDE(zero_snr=True)}
ALL_SDES = SDES | SIGNAL_FREE

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
    "sde_dpm_2": SDEDPMSolver(),
    "sde_dpm_3": SDEDPMSolver(order=3),
    "sa_2": SASolver(),
    "sa_3": SASolver(predictor_order=3, corrector_order=3, interval=(0.1, 20.0)),
    "er_sde": ERSDE(),
    "churn": EDMChurn(),
    "restart": Restart(low=1.0, high=30.0),
}

# What cannot be: no noise, and so no evaluation, where the discrete schedule ends; DDIM's eta and
# ER-SDE with more components than one; clipping where states are not pixels.
IMPOSSIBLE = {
    ("discrete", "gddim_denoise"),
    *((sde, sampler) for sde in ("cld", "psld", "hold") for sampler in ("ddim_eta", "er_sde")),
    *(("bdm", clipping) for clipping in ("ddim_clip", "dpm_solver_clip", "ancestral_clip")),
}

# The diffusions of one sampler follow each other, because most of them run in the same graph.
PAIRS = [
    (sde, sampler) for sampler in SAMPLERS for sde in ALL_SDES if (sde, sampler) not in IMPOSSIBLE
]


def budget(sampler, least, sde=None):
    """The smallest number of evaluations from `least` on that the sampler can spend.

    Where a diffusion has no signal at its start the first evaluation is not the sampler's.
    """
    extra = 1 if sde is not None and sde.signal_free else 0
    for nfe in range(max(least, 1 + extra), least + 64):
        try:
            sampler.steps_of(nfe - extra)
        except ValueError:
            continue
        return nfe
    raise AssertionError(f"{sampler} takes no budget from {least} to {least + 63}")
