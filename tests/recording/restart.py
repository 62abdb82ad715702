"""Record runs of the published Restart sampler on data whose score is known.

For developers only, with torch installed, and the file `benchmarks/generate_restart.py` of its
authors, of which the function `restart_sampler` is run and nothing else:

    python -m tests.recording.restart --sampler path/to/generate_restart.py

It writes `tests/golden/restart.npz`, where the sampler ends in double precision with one interval
each, on the problem, the noise levels and with the draws of `peer_samplers.npz`.
"""

import argparse
import ast
import json
import pathlib
import types

import numpy as np
import torch

from gddim_tf.sdes import VESDE
from tests.oracles import Mixture
from tests.samplers.problems import GOLDEN, golden

# The points of a return (one more than its steps), how often, and sigma at both ends. The levels
# next to 0.3 are 0.17 and 0.47, of which the first is nearer, but not in its logarithm.
RUNS = {"wide": [4, 2, 0.3, 2.0], "often": [3, 4, 1.0, 20.0], "short": [2, 1, 0.05, 0.3]}


def main():
    """Run the sampler and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sampler", type=pathlib.Path, required=True)
    sampler = published(parser.parse_args().sampler.read_text("utf-8"))
    peers, z = golden("peer_samplers"), golden("deis_ve_traj")
    data = Mixture(VESDE.karras(), z["gmm_w"], z["gmm_mean"], z["gmm_cov"])
    sigmas = peers["sigmas"]
    ends = {}
    for name, interval in RUNS.items():
        rows = iter(torch.tensor(peers["noise"]))
        ends[name] = sampler(
            network(data, sigmas),
            torch.tensor(peers["k_start"] / sigmas[0]),
            randn_like=lambda x, rows=rows: next(rows),
            num_steps=len(sigmas),
            S_noise=1,
            restart_info=json.dumps({"0": interval}),
        ).numpy()
    versions = f"commit 62d3aab, torch {torch.__version__}"
    np.savez_compressed(GOLDEN / "restart.npz", runs=json.dumps(RUNS), versions=versions, **ends)
    print({name: f"{np.abs(end).max():.2f}" for name, end in ends.items()})


def published(source):
    """The sampler alone, without what its file imports; its single precision is double here."""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    chosen = [node for node in functions if node.name == "restart_sampler"]
    torch.float = torch.float64
    silent = types.SimpleNamespace(print0=lambda *_: None)
    names = {"torch": torch, "np": np, "dist": silent}
    exec(compile(ast.Module(chosen, []), "generate_restart.py", "exec"), names)
    return names["restart_sampler"]


def network(data, sigmas):
    """The denoiser of the data, with what the sampler asks of a network."""

    def denoise(x, sigma, labels):
        return x - sigma * torch.tensor(data.eps(x.numpy(), float(sigma)))

    denoise.img_channels, denoise.img_resolution = 2, 1
    denoise.sigma_min, denoise.sigma_max = sigmas[-1], sigmas[0]
    denoise.round_sigma = lambda sigma: sigma
    return denoise


if __name__ == "__main__":
    main()
