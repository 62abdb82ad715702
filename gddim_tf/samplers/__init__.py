"""Samplers: functions that fill tables, and the one loop that runs them."""

from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.ddim import DDIM
from gddim_tf.samplers.deis import DEIS
from gddim_tf.samplers.gddim import GDDIM
from gddim_tf.samplers.grids import ListGrid, LogSNRGrid, PowerGrid, RhoGrid, SubsequenceGrid
from gddim_tf.samplers.loop import run
from gddim_tf.samplers.runge_kutta import Euler, Heun, RhoRK
from gddim_tf.samplers.table import Table

__all__ = [
    "DDIM",
    "DEIS",
    "GDDIM",
    "Euler",
    "Heun",
    "ListGrid",
    "LogSNRGrid",
    "PowerGrid",
    "RhoGrid",
    "RhoRK",
    "Sampler",
    "SubsequenceGrid",
    "Table",
    "run",
]
