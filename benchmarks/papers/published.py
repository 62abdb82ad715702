"""Figures of the papers, to stand beside ours: FID on CIFAR-10, in the order of the columns.

They were measured with Inception features on 32 x 32 colour images and are comparable with
distances of other features on other images in their order only. A string is what the source prints
where a number would not say it; None is a cell that the source does not have.
"""

from __future__ import annotations

Figures = dict[str, tuple[float | str | None, ...]]

SOURCES = {
    "gddim": "gDDIM (Zhang, Tao, Chen; arXiv 2206.05564), FID on CIFAR-10 by NFE",
    "lambda": "gDDIM (Zhang, Tao, Chen; arXiv 2206.05564), the comparison of lambda at 50 NFE",
    "root": "gDDIM (Zhang, Tao, Chen; arXiv 2206.05564), K = R against K = L",
    "corrector": "gDDIM (Zhang, Tao, Chen; arXiv 2206.05564), predictor and corrector",
    "ddim": "DDIM (Song, Meng, Ermon; arXiv 2010.02502), Table 1, FID on CIFAR-10 by steps",
    "pndm": "PNDM (Liu, Ren, Lin, Zhao; arXiv 2202.09778), by steps",
    "deis": "DEIS (Zhang, Chen; arXiv 2204.13902), FID on CIFAR-10 by NFE, table of the project",
    "grid": "DEIS (Zhang, Chen; arXiv 2204.13902) and DDIM, section D.3: the choice of times",
}

FIGURES: dict[str, Figures] = {
    "gddim": {
        "DDPM, EM": (">100", ">100", 31.2, 12.2, 2.64),
        "DDPM, probability flow, RK45": (">100", 52.5, 6.62, 2.63, 2.56),
        "DDPM, 2nd order Heun": (">100", "6.60", 2.65, 2.57, 2.56),
        "DDPM, gDDIM": (4.17, 3.03, 2.59, 2.56, 2.56),
        "BDM, ancestral sampling": (">100", ">100", 29.8, 9.73, 2.51),
        "BDM, probability flow, RK45": (">100", 68.2, 7.12, 2.58, 2.46),
        "BDM, gDDIM": (4.52, 2.97, 2.49, 2.47, 2.46),
        "CLD, EM": (">100", ">100", 57.72, 13.21, 2.39),
        "CLD, probability flow, RK45": (">100", ">100", 31.7, 4.56, 2.25),
        "CLD, gDDIM": (13.41, 3.39, 2.26, 2.26, 2.25),
    },
    "ddim": {
        "eta = 0": (13.36, 6.84, 4.67, 4.16, 4.04),
        "eta = 0.2": (14.04, 7.11, 4.77, 4.25, 4.09),
        "eta = 0.5": (16.66, 8.35, 5.25, 4.46, 4.29),
        "eta = 1": (41.07, 18.36, 8.01, 5.78, 4.73),
        "sigma-hat": (367.43, 133.37, 32.72, 9.99, 3.17),
    },
    "deis": {
        "DDIM": (26.91, 11.14, 7.06, 5.47, 3.27),
        "rho2Heun": ("108 (+1)", 14.72, "4.89 (+1)", "3.50", "2.60"),
        "rho3Kutta": ("185 (+1)", "13.19 (+2)", 5.88, "2.97 (+1)", "2.55 (+1)"),
        "rho4RK": ("193 (+3)", "28.65 (+2)", "6.88 (+1)", 3.92, "2.57 (+2)"),
        "rhoAB1": (22.28, 7.56, 4.69, "3.70", "2.70"),
        "rhoAB2": (21.53, 6.72, 4.16, 3.32, 2.62),
        "rhoAB3": (21.43, "6.50", 3.99, 3.17, 2.59),
        "tAB1": (19.72, 6.09, 4.29, 3.54, 2.67),
        "tAB2": (16.31, 4.57, 3.57, 3.05, 2.59),
        "tAB3": (15.37, 4.17, 3.37, 2.86, 2.57),
    },
}
