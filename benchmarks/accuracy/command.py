"""Error against NFE of the samplers on data whose score is known, beside published samplers.

    python -m benchmarks.accuracy --out docs

It writes `accuracy.md` and `accuracy.png`. The problems are two-component Gaussian mixtures; the
error is the root mean square distance, per value, to the end of the exact probability flow. The
published figures were recorded once from the original implementations on the same problems; this
script does not run them.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Sequence

import numpy as np

from benchmarks import plotting
from benchmarks.accuracy import problems
from benchmarks.accuracy.problems import Problem
from gddim_tf.atomic import atomic_write
from gddim_tf.samplers import DDIM, DEIS, FPNDM, GDDIM, IPNDM, DPMSolver, Heun, UniPC, default, run
from gddim_tf.samplers.base import Sampler
from gddim_tf.sdes import HOLD, PSLD

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    out = parser.parse_args(arguments).out
    errors = {name: measure(*problem) for name, problem in cases().items()}
    text = table(errors)
    with atomic_write(out / "accuracy.md") as draft:
        draft.write_text(text)
    plot(errors, out / "accuracy.png")
    print(text)
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs"), help="folder")


def cases() -> dict[str, tuple[Problem, np.ndarray]]:
    """The problems, each with the exact end (its image component)."""
    cld, bdm = problems.cld(), problems.bdm()
    return {
        "CLD, d = 2 (error in x)": (cld, _end(cld)[..., :2]),
        **{
            f"{type(sde).__name__}, d = 2 (error in x)": (problem, _end(problem)[..., :2])
            for sde in (PSLD(), HOLD())
            for problem in [problems.langevin(sde)]
        },
        "BDM, 8 x 8": (bdm, _end(bdm)),
        "VP, DDPM's betas, d = 2": problems.ddpm(),
    }


def _end(problem: Problem) -> np.ndarray:
    return problem.data.flow(problem.u_T, problem.sde.t_max, problem.sde.t_min)


def measure(problem: Problem, end: np.ndarray) -> dict[str, dict[int, float]]:
    """Errors by sampler and NFE; what a method cannot spend, or the SDE has not, is left out."""
    errors: dict[str, dict[int, float]] = {}
    for name, sampler in SAMPLERS.items():
        errors[name] = {}
        for nfe in NFES:
            # Heun's method spends odd budgets
            spent = nfe - 1 if isinstance(sampler, Heun) and nfe % 2 == 0 else nfe
            try:
                rows = (sampler or default(problem.sde, nfe)).table(problem.sde, spent)
            except ValueError:  # a budget that the method cannot spend
                continue
            final = run(rows, problem.network, problem.u_T).numpy()
            gap = final[..., : end.shape[-1]] - end
            errors[name][nfe] = float(np.sqrt(np.mean(gap**2)))
    return errors


def table(errors: dict[str, dict[str, dict[int, float]]]) -> str:
    """All errors as Markdown."""
    lines = [
        "# Error against NFE",
        "",
        "Root mean square error per value against the exact probability flow, made by",
        "`python -m benchmarks.accuracy`. A dash is a budget that a method cannot spend. The rows",
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

    figure, axes = plotting.panels(len(errors), (5, 5))
    for axis, (problem, rows) in zip(axes, errors.items(), strict=True):
        axis.set_prop_cycle(color=matplotlib.colormaps["tab20"].colors)
        for name, row in rows.items():
            width = 2.5 if name == "default" else 1
            axis.loglog(*zip(*row.items(), strict=True), ".-", label=name, lw=width)
        if problem in PUBLISHED:
            _, published = PUBLISHED[problem]
            axis.loglog(*zip(*published.items(), strict=True), "k*--", label="published")
        axis.set(title=problem, xlabel="NFE", ylim=(1e-5, 10))
        plotting.ticks(axis, list(NFES))
    axes[0].set_ylabel("RMS error")
    axes[-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    plotting.save(figure, path, dpi=110)
