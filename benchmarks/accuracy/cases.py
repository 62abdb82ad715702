"""What is measured: the problems, the samplers and their budgets."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Protocol

from benchmarks.accuracy import problems
from benchmarks.accuracy.networks import FOLDER, network
from gddim_tf.samplers import DDIM, DEIS, FPNDM, GDDIM, IPNDM, DPMSolver, Heun, UniPC
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.table import Table
from gddim_tf.sdes import HOLD, PSLD, LinearSDE

NFES = (3, 4, 5, 6, 8, 10, 15, 20, 30, 50)
SAMPLERS: dict[str, Sampler | None] = {
    "default": None,
    "DDIM": DDIM(),
    "gDDIM order 1": GDDIM(order=1),
    "gDDIM order 2": GDDIM(order=2),
    "gDDIM order 3": GDDIM(order=3),
    "gDDIM order 2, free corrector": GDDIM(order=2, corrector="free"),
    "gDDIM order 2, K = L": GDDIM(order=2, root="L"),
    "DEIS rhoAB3": DEIS(order=3, variant="rho_ab"),
    "iPNDM": IPNDM(),
    "F-PNDM": FPNDM(),
    "DPM-Solver++ 2M": DPMSolver(order=2),
    "UniPC 2": UniPC(order=2),
    "UniPC 3": UniPC(order=3),
    "Heun, at 3, 5, 9, 15, 19, 29, 49": Heun(),
}
# Those that are measured on networks, where an evaluation costs a thousand times as much.
ON_NETWORKS = (
    *("default", "DDIM", "gDDIM order 2", "gDDIM order 3", "DEIS rhoAB3", "iPNDM"),
    *("DPM-Solver++ 2M", "UniPC 2", "UniPC 3"),
)
# Error of the best published run by NFE, per value, recorded once: gDDIM's code (CLD; BDM has order
# 0 only), and the best of diffusers, ermongroup/ddim and luping-liu/PNDM (VP).
PUBLISHED = {
    "CLD, d = 2 (error in x)": ("gDDIM, order 3", {10: 0.0515, 20: 0.0135, 50: 0.00099}),
    "BDM, 8 x 8": ("gDDIM, order 0", {10: 0.0288, 20: 0.015, 50: 0.00615}),
    "VP, DDPM's betas, d = 2": ("iPNDM / PLMS / F-PNDM", {10: 0.081, 20: 0.029, 50: 0.0056}),
}


class Case(Protocol):
    """A problem to measure tables on."""

    @property
    def sde(self) -> LinearSDE:
        """The diffusion."""
        ...

    def error(self, table: Table) -> float:
        """Root mean square error in the image, per value."""
        ...


Cases = dict[str, Callable[[], Case]]


def mixtures() -> Cases:
    """The mixtures of Gaussians by name, each made when it is called."""
    return {
        "CLD, d = 2 (error in x)": problems.cld,
        "PSLD, d = 2 (error in x)": functools.partial(problems.langevin, PSLD()),
        "HOLD, d = 2 (error in x)": functools.partial(problems.langevin, HOLD()),
        "BDM, 8 x 8": problems.bdm,
        "VP, DDPM's betas, d = 2": problems.ddpm,
    }


def trained() -> Cases:
    """The shipped networks of digits and clothes by name, each loaded when it is called."""
    folders = sorted(FOLDER.glob("*_*"))
    return {path.name: functools.partial(network, path.name) for path in folders}
