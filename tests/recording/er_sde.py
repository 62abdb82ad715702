"""Record a run of the published ER-SDE solver on data whose score is known.

For developers only, with torch installed, and the file `er_sde_solver.py` of its authors:

    python -m tests.recording.er_sde --solver path/to/er_sde_solver.py

It writes `tests/golden/er_sde.npz`, where the third-order solver for exploding noise ends in double
precision, on the problem, from the start and with the noise of `peer_samplers.npz`.
"""

import argparse
import importlib.util
import pathlib

import numpy as np
import torch

from gddim_tf.sdes import VESDE
from tests.oracles import Mixture
from tests.samplers.problems import GOLDEN, golden


def main():
    """Run the solver and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--solver", type=pathlib.Path, required=True)
    spec = importlib.util.spec_from_file_location("er_sde_solver", parser.parse_args().solver)
    published = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(published)
    peers, z = golden("peer_samplers"), golden("deis_ve_traj")
    data = Mixture(VESDE.karras(), z["gmm_w"], z["gmm_mean"], z["gmm_cov"])

    def denoiser(x, sigma):
        level = float(sigma)
        return x - level * torch.tensor(data.eps(x.numpy(), level))

    rows = iter(torch.tensor(peers["noise"]))
    torch.randn_like = lambda x: next(rows)
    sigmas = torch.tensor(peers["sigmas"])
    solver = published.ER_SDE_Solver("ve", "x_start")
    end = solver.ve_3_order_taylor(denoiser, torch.tensor(peers["k_start"]), sigmas, sigmas)
    np.savez_compressed(GOLDEN / "er_sde.npz", end=end.numpy(), version="commit 9c4b527")


if __name__ == "__main__":
    main()
