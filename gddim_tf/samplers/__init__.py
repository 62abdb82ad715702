"""Samplers: functions that fill tables, and the one loop that runs them."""

from gddim_tf.samplers.adaptive import RK45
from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.clipping import DynamicThreshold
from gddim_tf.samplers.default import default, low_order
from gddim_tf.samplers.errors import NotFiniteError, NotInvertibleError, StepLimitError
from gddim_tf.samplers.grids import (
    ListGrid,
    LogSNRGrid,
    PowerGrid,
    RhoGrid,
    VPTimeGrid,
)
from gddim_tf.samplers.loop import run
from gddim_tf.samplers.methods.ddim import DDIM
from gddim_tf.samplers.methods.deis import DEIS
from gddim_tf.samplers.methods.dpm_solver import DPMSolver
from gddim_tf.samplers.methods.er_sde import ERSDE
from gddim_tf.samplers.methods.euler_heun import Euler, Heun
from gddim_tf.samplers.methods.fon import FON
from gddim_tf.samplers.methods.gddim import GDDIM
from gddim_tf.samplers.methods.pndm import FPNDM, IPNDM, PLMS, SPNDM
from gddim_tf.samplers.methods.renoised import EDMChurn, Restart
from gddim_tf.samplers.methods.repaint import RePaint
from gddim_tf.samplers.methods.rho_rk import RhoRK
from gddim_tf.samplers.methods.sa_solver import SASolver
from gddim_tf.samplers.methods.sde_dpm_solver import SDEDPMSolver
from gddim_tf.samplers.methods.sscs import SSCS
from gddim_tf.samplers.methods.stochastic import Ancestral, EulerMaruyama
from gddim_tf.samplers.methods.stochastic_gddim import StochasticGDDIM
from gddim_tf.samplers.methods.unipc import UniPC
from gddim_tf.samplers.parse import names
from gddim_tf.samplers.subsequence_grid import SubsequenceGrid
from gddim_tf.samplers.table import Table
from gddim_tf.samplers.tuning import Tuned, tune

__all__ = [
    "DDIM",
    "DEIS",
    "ERSDE",
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
    "DynamicThreshold",
    "EDMChurn",
    "Euler",
    "EulerMaruyama",
    "Heun",
    "ListGrid",
    "LogSNRGrid",
    "NotFiniteError",
    "NotInvertibleError",
    "PowerGrid",
    "RePaint",
    "Restart",
    "RhoGrid",
    "RhoRK",
    "SASolver",
    "SDEDPMSolver",
    "Sampler",
    "StepLimitError",
    "StochasticGDDIM",
    "SubsequenceGrid",
    "Table",
    "Tuned",
    "UniPC",
    "VPTimeGrid",
    "default",
    "low_order",
    "names",
    "run",
    "tune",
]
__dir__ = __all__.copy  # what editors complete
