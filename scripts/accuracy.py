"""Error against NFE of the samplers on data whose score is known, beside published samplers.

    python scripts/accuracy.py --out docs

It writes `accuracy.md` and `accuracy.png`. The problems are two-component Gaussian mixtures; the
error is the root mean square distance, per value, to the end of the exact probability flow. The
published figures were recorded once from the original implementations on the same problems; this
script does not run them.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from gddim_tf.atomic import atomic_write
from gddim_tf.samplers import DDIM, DEIS, FPNDM, GDDIM, IPNDM, DPMSolver, Heun, UniPC, default
from gddim_tf.samplers.base import Sampler
from gddim_tf.sdes import HOLD, PSLD, DiscreteVPSDE, LinearSDE
from tests.oracles import Mixture
from tests.samplers import problems
from tests.samplers.replay import replay

NFES = (5, 10, 20, 50)
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
    "Heun, at 5, 9, 19, 49": Heun(),
}
# Error of the best published run by NFE, per value, recorded once: gDDIM's code (CLD; BDM has order
# 0 only), and the best of diffusers, ermongroup/ddim and luping-liu/PNDM (VP).
PUBLISHED = {
    "CLD, d = 2 (error in x)": ("gDDIM, order 3", {10: 0.0515, 20: 0.0135, 50: 0.00099}),
    "BDM, 8 x 8": ("gDDIM, order 0", {10: 0.0288, 20: 0.015, 50: 0.00615}),
    "VP, DDPM's betas, d = 2": ("iPNDM / PLMS / F-PNDM", {10: 0.081, 20: 0.029, 50: 0.0056}),
}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs"))
    out = parser.parse_args().out
    errors = {name: measure(*problem) for name, problem in cases().items()}
    text = table(errors)
    with atomic_write(out / "accuracy.md") as draft:
        draft.write_text(text)
    with atomic_write(out / "accuracy.png") as draft:
        plot(errors, draft)
    print(text)


def cases() -> dict[str, tuple[LinearSDE, Mixture, np.ndarray, np.ndarray]]:
    """The problems: diffusion, data, start, and the exact end (its image component)."""
    cld, bdm = problems.cld(), problems.bdm()
    z = problems.golden("discrete_accuracy")
    sde = DiscreteVPSDE(z["betas"])
    data = Mixture(sde, z["gmm_w"], z["gmm_mu"], z["gmm_cov"])
    return {
        "CLD, d = 2 (error in x)": (
            cld.sde,
            cld.data,
            cld.u_T,
            cld.data.flow(cld.u_T, cld.sde.t_max, cld.sde.t_min)[..., :2],
        ),
        **{
            f"{type(langevin).__name__}, d = 2 (error in x)": langevin_case(langevin)
            for langevin in (PSLD(), HOLD())
        },
        "BDM, 8 x 8": (
            bdm.sde,
            bdm.data,
            bdm.u_T,
            bdm.data.flow(bdm.u_T, bdm.sde.t_max, bdm.sde.t_min),
        ),
        "VP, DDPM's betas, d = 2": (sde, data, z["x_T"], z["end"]),
    }


def langevin_case(sde: LinearSDE) -> tuple[LinearSDE, Mixture, np.ndarray, np.ndarray]:
    """The mixture of the CLD problem on another Langevin diffusion."""
    z = problems.golden("cldA_traj")
    data = Mixture(sde, z["gmm_w"], z["gmm_mean"], z["gmm_cov"])
    start = data.sample_state(64, sde.t_max)
    return sde, data, start, data.flow(start, sde.t_max, sde.t_min)[..., :2]


def measure(
    sde: LinearSDE, data: Mixture, start: np.ndarray, end: np.ndarray
) -> dict[str, dict[int, float]]:
    """Errors by sampler and NFE; what a method cannot spend, or the SDE has not, is left out."""
    errors: dict[str, dict[int, float]] = {}
    for name, sampler in SAMPLERS.items():
        errors[name] = {}
        for nfe in NFES:
            # Heun's method spends odd budgets
            spent = nfe - 1 if isinstance(sampler, Heun) and nfe % 2 == 0 else nfe
            try:
                rows = (sampler or default(sde, nfe)).table(sde, spent)
            except ValueError:  # a budget that the method cannot spend
                continue
            final, _ = replay(rows, data.eps, start)
            gap = final[..., : end.shape[-1]] - end
            errors[name][nfe] = float(np.sqrt(np.mean(gap**2)))
    return errors


def table(errors: dict[str, dict[str, dict[int, float]]]) -> str:
    """All errors as Markdown."""
    lines = [
        "# Error against NFE",
        "",
        "Root mean square error per value against the exact probability flow, made by",
        "`python scripts/accuracy.py`. A dash is a budget that a method cannot spend. The rows",
        "named `published` were recorded once from the published implementations on the same",
        "problems; the script does not run those. They have no figure for 5 evaluations.",
        "Nothing is published on the problems of PSLD and HOLD; on CIFAR-10 PSLD's own integrators",
        "report an FID of 2.11 (ODE) and 2.36 (SDE) with 100 evaluations (arXiv 2310.07894).",
    ]
    for problem, rows in errors.items():
        lines += ["", f"## {problem}", "", "| sampler | " + " | ".join(map(str, NFES)) + " |"]
        lines.append("|---" * (len(NFES) + 1) + "|")
        entries = dict(rows)
        if problem in PUBLISHED:
            label, published = PUBLISHED[problem]
            entries[f"published: {label}"] = published
        for name, row in entries.items():
            cells = (f"{row[nfe]:.2g}" if nfe in row else "-" for nfe in NFES)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plot(errors: dict[str, dict[str, dict[int, float]]], path: pathlib.Path) -> None:
    """One panel per problem."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(1, len(errors), figsize=(5 * len(errors), 5))
    for axis, (problem, rows) in zip(axes, errors.items(), strict=True):
        axis.set_prop_cycle(color=pyplot.get_cmap("tab20").colors)
        for name, row in rows.items():
            axis.loglog(
                *zip(*row.items(), strict=True),
                ".-",
                label=name,
                lw=2.5 if name == "default" else 1,
            )
        if problem in PUBLISHED:
            _, published = PUBLISHED[problem]
            axis.loglog(*zip(*published.items(), strict=True), "k*--", label="published")
        axis.set(title=problem, xlabel="NFE", ylim=(1e-5, 10))
        axis.set_xticks(NFES, [str(nfe) for nfe in NFES])
        axis.xaxis.set_minor_locator(ticker.NullLocator())
    axes[0].set_ylabel("RMS error")
    axes[-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
