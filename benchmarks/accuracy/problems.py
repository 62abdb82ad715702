"""Diffusions and data with an exact score, of which published samplers were recorded, too."""

from __future__ import annotations

import dataclasses
import functools
import pathlib

import numpy as np
import tensorflow as tf

from benchmarks.accuracy.mixture import Mixture
from gddim_tf.samplers import Sampler, Table, run
from gddim_tf.samplers.loop import EpsFn
from gddim_tf.sdes import BDM, CLD, DiscreteVPSDE, LinearSDE

GOLDEN = pathlib.Path(__file__).parents[2] / "tests" / "golden"


@functools.cache
def golden(name: str) -> dict[str, np.ndarray]:
    """The arrays of a reference file."""
    with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def packed(u: np.ndarray) -> np.ndarray:
    """States `[..., d, 2]` of the reference files with their components along the last axis."""
    return np.concatenate([u[..., 0], u[..., 1]], axis=-1)


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """A diffusion, its data, and where sampling starts.

    Attributes:
      sde: the diffusion.
      data: whose exact eps is the network.
      u_T: states `[batch, ..., k * C]` at `sde.t_max`.
      known_end: None, or the image component of where the probability flow leads from there.
    """

    sde: LinearSDE
    data: Mixture
    u_T: np.ndarray
    known_end: np.ndarray | None = None

    @functools.cached_property
    def network(self) -> EpsFn:
        """The exact eps as one callable, so that its graph is kept."""
        return self.data.eps_fn()

    def sample(self, sampler: Sampler, nfe: int, dtype: tf.DType = tf.float64) -> np.ndarray:
        """Where a sampler ends."""
        return run(sampler.table(self.sde, nfe), self.network, tf.constant(self.u_T, dtype)).numpy()

    @functools.cached_property
    def end(self) -> np.ndarray:
        """The image component of where the probability flow leads, `[batch, ..., C]`."""
        if self.known_end is not None:
            return self.known_end
        end = self.data.flow(self.u_T, self.sde.t_max, self.sde.t_min)
        return end[..., : self.data.shape[-1]]

    def error(self, table: Table) -> float:
        """Root mean square distance of the image component to `end`, per value."""
        image = run(table, self.network, tf.constant(self.u_T)).numpy()[..., : self.end.shape[-1]]
        return float(np.sqrt(np.mean((image - self.end) ** 2)))


@functools.cache
def cld() -> Problem:
    """Two Gaussians in the plane, under CLD."""
    z = golden("cldA_traj")
    data = Mixture(CLD(), z["gmm_w"], z["gmm_mean"], z["gmm_cov"])
    return Problem(data.sde, data, packed(z["uT"]))


def langevin(sde: LinearSDE) -> Problem:
    """The data of `cld` under another Langevin diffusion."""
    z = golden("cldA_traj")
    data = Mixture(sde, z["gmm_w"], z["gmm_mean"], z["gmm_cov"])
    return Problem(sde, data, data.sample_state(64, sde.t_max))


@functools.cache
def bdm() -> Problem:
    """The reference has sqrt(alpha-bar) at t = 0 in the signal; here it belongs to the data."""
    z, sde = golden("bdm_traj"), BDM(8)
    signal = np.exp(sde.log_signal(0.0))[0]
    means = signal * z["gmm_mean_freq"][..., None]
    data = Mixture(sde, z["gmm_w"], means, signal**2 * z["gmm_var_freq"].reshape(2, -1))
    return Problem(sde, data, z["uT_freq"])


@functools.cache
def ddpm() -> Problem:
    """Two Gaussians in the plane, under the table of betas of DDPM."""
    z = golden("discrete_accuracy")
    sde = DiscreteVPSDE(z["betas"])
    data = Mixture(sde, z["gmm_w"], z["gmm_mu"], z["gmm_cov"])
    return Problem(sde, data, z["x_T"], z["end"])
