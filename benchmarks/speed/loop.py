"""What the loop itself costs an evaluation: a network that returns its argument."""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf

import gddim_tf as gd
from benchmarks.speed.peer import Peer
from benchmarks.speed.turns import Measured, in_turn, timed
from gddim_tf.numerics.image_noise import image_seeds
from gddim_tf.samplers import DDIM, DEIS, FPNDM, GDDIM, SPNDM, DPMSolver, Heun, Sampler, UniPC

SDES = {"VP": gd.sdes.VPSDE(), "CLD": gd.sdes.CLD(), "BDM": gd.sdes.BDM(image_size=32)}
_BATCH, _NFE = 16, 60

# A name, ours, and the scheduler of diffusers that does the same.
SAMPLERS: list[tuple[str, Sampler, str | None, float]] = [
    ("DDIM", GDDIM(order=0), "DDIM", 0.0),
    ("DEIS of order 3", DEIS(order=3), "DEIS", 0.0),
    ("DPM-Solver++ 2M", DPMSolver(order=2), "DPM-Solver++", 0.0),
    ("UniPC of order 2", UniPC(order=2), "UniPC", 0.0),
    ("Heun", Heun(), "Heun", 0.0),
    ("F-PNDM", FPNDM(), "PNDM", 0.0),
    ("S-PNDM", SPNDM(), None, 0.0),
    ("DDIM(eta=1)", DDIM(eta=1.0), "DDIM", 1.0),
]


def identity(u: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
    """A network that costs nothing."""
    return u


def own_cost(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """Microseconds an evaluation, 16 x 32 x 32 x 3, each sampler on each diffusion it knows."""
    for name, sampler, theirs, eta in SAMPLERS:
        job = peer and theirs and peer.run("scheduler", name=theirs, eta=eta, batch=16, steps=50)
        for kind, sde in SDES.items():
            if eta and sde.components > 1:
                continue  # eta is a word of scalar diffusions
            table = sampler.table(sde, _NFE + (name == "Heun"))
            state = tf.random.stateless_normal([_BATCH, 32, 32, 3 * sde.components], [0, 1])
            seeds = image_seeds(0, 0, _BATCH)
            run = timed(lambda t=table, u=state, s=seeds: gd.samplers.run(t, identity, u, seeds=s))
            yield in_turn(
                f"{name} on {kind}",
                lambda run=run, nfe=table.nfe: run() / nfe,
                job or None,
                runs=runs,
                unit="us",
                scale=1e6,
            )


def tables(peer: Peer | None, runs: int) -> Iterator[Measured]:
    """Seconds to fill a table of 1000 rows; the times at which no peer has anything to do."""
    for name, sampler, *_ in SAMPLERS[:4]:
        for kind, sde in SDES.items():
            fill = timed(lambda s=sampler, d=sde: s.table(d, 1000))
            yield in_turn(f"{name} on {kind}", fill, runs=min(runs, 3), unit="s", scale=1.0)
