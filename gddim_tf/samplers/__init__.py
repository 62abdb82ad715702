"""Samplers: functions that fill tables, and the one loop that runs them."""

from gddim_tf.samplers.adaptive import RK45
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.ddim import DDIM
from gddim_tf.samplers.default import default
from gddim_tf.samplers.deis import DEIS
from gddim_tf.samplers.dpm_solver import DPMSolver
from gddim_tf.samplers.euler_heun import Euler, Heun
from gddim_tf.samplers.failures import NotFiniteError, NotInvertibleError, StepLimitError
from gddim_tf.samplers.gddim import GDDIM
from gddim_tf.samplers.grids import (
    ListGrid,
    LogSNRGrid,
    PowerGrid,
    RhoGrid,
    SubsequenceGrid,
    VPTimeGrid,
)
from gddim_tf.samplers.loop import run
from gddim_tf.samplers.pndm import FON, FPNDM, IPNDM, PLMS, SPNDM
from gddim_tf.samplers.rho_rk import RhoRK
from gddim_tf.samplers.sscs import SSCS
from gddim_tf.samplers.stochastic import Ancestral, EulerMaruyama
from gddim_tf.samplers.table import Table
from gddim_tf.samplers.unipc import UniPC

__all__ = [
    "DDIM",
    "DEIS",
    "FON",
    "FPNDM",
    "GDDIM",
    "IPNDM",
    "PLMS",
    "RK45",
    "SPNDM",
    "SSCS",
    "Ancestral",
    "DPMSolver",
    "Euler",
    "EulerMaruyama",
    "Heun",
    "ListGrid",
    "LogSNRGrid",
    "NotFiniteError",
    "NotInvertibleError",
    "PowerGrid",
    "RhoGrid",
    "RhoRK",
    "Sampler",
    "StepLimitError",
    "SubsequenceGrid",
    "Table",
    "UniPC",
    "VPTimeGrid",
    "default",
    "run",
]
