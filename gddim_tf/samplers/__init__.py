"""Samplers: functions that fill tables, and the one loop that runs them."""

from gddim_tf.samplers.base import Sampler
from gddim_tf.samplers.ddim import DDIM
from gddim_tf.samplers.grids import ListGrid, LogSNRGrid, PowerGrid, RhoGrid, SubsequenceGrid
from gddim_tf.samplers.loop import run
from gddim_tf.samplers.table import Table

__all__ = [
    "DDIM",
    "ListGrid",
    "LogSNRGrid",
    "PowerGrid",
    "RhoGrid",
    "Sampler",
    "SubsequenceGrid",
    "Table",
    "run",
]
