"""Runs of public samplers on a discrete schedule: tests/golden/discrete_peers_*.npz.

Made once by diffusers 0.42.1, ermongroup/ddim and luping-liu/PNDM in float64, T = 1000, with eps of
two Gaussians that is exact at every index (and between indices by interpolating sigma). Index j of
theirs is the time j + 1 here, and the data are at time 0. What differs between them is written as
a list of times:

- "leading": every (T // N)-th index from `offset` on; "trailing": from T - 1 down by T / N;
  "linspace": N + 1 even points from T - 1 to 0 without the last;
- where a run ends: at the data (`set_alpha_to_one`, final sigma "zero"), or at index 0, which is
  time 1 (final sigma "sigma_min"). If index 0 is already on the list, the run spends a call on a
  step from time 1 to itself, which the list leaves out.

Runs that the references themselves mark as ill conditioned are not there, nor those that show a
defect: luping's table shifted by one index, diffusers' DDIM with "linspace" (its stride is not that
of the list). diffusers' native IPNDM is not there either: it starts where the signal is exactly 0.
"""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from gddim_tf.samplers import ListGrid, run
from gddim_tf.sdes import VPSDE
from tests.oracles import Mixture
from tests.samplers.problems import golden

SCHEDULES = ("linear", "cosine")
STEPS = (5, 10, 20, 50)


@dataclasses.dataclass(frozen=True, eq=False)
class Peers:
    """The runs on one schedule."""

    name: str

    @functools.cached_property
    def arrays(self):
        return golden(f"discrete_peers_{self.name}")

    @functools.cached_property
    def sde(self):
        return VPSDE.from_betas(self.arrays["betas"])

    @functools.cached_property
    def data(self):
        z = self.arrays
        return Mixture(self.sde, z["gmm_w"], z["gmm_mu"], z["gmm_cov"])

    @functools.cached_property
    def network(self):
        return self.data.eps_fn()

    @functools.cached_property
    def finals(self):
        return dict(zip(self.arrays["names"], self.arrays["finals"], strict=True))

    def table(self, sampler, times):
        """The table of a sampler on a list of times (an empty step is no step)."""
        times = [t for t, before in zip(times, [None, *times], strict=False) if t != before]
        listed = dataclasses.replace(sampler, grid=ListGrid(times))
        return listed.fill(self.sde, np.asarray(times, np.float64))

    def run(self, table, draws=None, network=None):
        """The end of a table, with the stored noise where it draws any."""
        noise = None
        if table.noise is not None:
            noise = self.arrays["noise"][: table.nfe] if draws is None else draws
        start = tf.constant(self.arrays["x_T"])
        return run(table, network or self.network, start, noise=noise).numpy()

    def check(self, template, sampler, times, tolerance=1e-8):
        """All runs of a template such as "df_deis2_N{}"; at least one must be there."""
        checked = 0
        for steps in STEPS:
            if template.format(steps) in self.finals:
                self.compare(
                    template.format(steps), self.run(self.table(sampler, times(steps))), tolerance
                )
                checked += 1
        assert checked

    def compare(self, name, end, tolerance=1e-8):
        expected = self.finals[name]
        np.testing.assert_allclose(
            end, expected, atol=tolerance * np.abs(expected).max(), rtol=0, err_msg=name
        )


@functools.cache
def peers(name):
    """The runs on the "linear" or "cosine" schedule."""
    return Peers(name)


def leading(end, offset=0):
    """Every (T // N)-th index from `offset` on, then `end`."""
    return lambda steps: [*(1.0 + offset + np.arange(steps)[::-1] * (1000 // steps)), end]


def trailing(end):
    """From the last index down by T / N, then `end`."""
    return lambda steps: [*np.round(1000 - np.arange(steps) * (1000 / steps)), end]


def linspace(end):
    """N + 1 even points from the last index to the first, without that, then `end`."""
    return lambda steps: [*(1.0 + np.linspace(0, 999, steps + 1).round()[:0:-1]), end]
