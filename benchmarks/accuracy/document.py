"""The errors as a page and a picture."""

from __future__ import annotations

import pathlib

from benchmarks import plotting
from benchmarks.accuracy.cases import NFES, PUBLISHED

Errors = dict[str, dict[int, float]]

# The default is to be within so many times the least error.
WITHIN = 1.1

_OPENING = """# Error against NFE

Root mean square error per value, made by `python -m benchmarks.accuracy`: on mixtures of Gaussians
against the exact probability flow, on the networks of digits and clothes in `saved_models` against
their own flow with 150 evaluations, from 16 starting states. A dash is a budget that a method
cannot spend. The last row of a problem is the error of `samplers.default` over the least of the
others. With so few states one image between two digits decides the errors on a network from 15
evaluations on: methods differ there by which of them it is drawn to.

Rows named `published` were recorded once from the published implementations on the same problems;
the command does not run those. Nothing is published on the problems of PSLD and HOLD; on CIFAR-10
PSLD's own integrators report an FID of 2.11 (ODE) and 2.36 (SDE) with 100 evaluations (arXiv
2310.07894).
"""


def text(errors: dict[str, Errors]) -> str:
    """All errors as Markdown."""
    lines = [_OPENING.rstrip(), "", _exceptions(errors)]
    for problem, rows in errors.items():
        lines += ["", f"## {problem}", "", "| sampler | " + " | ".join(map(str, NFES)) + " |"]
        lines.append("|---" * (len(NFES) + 1) + "|")
        entries = dict(rows)
        if problem in PUBLISHED:
            label, published = PUBLISHED[problem]
            entries[f"published: {label}"] = published
        entries["default over the best other"] = shares(rows)
        for name, row in entries.items():
            cells = (f"{row[nfe]:.2g}" if nfe in row else "-" for nfe in NFES)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def shares(rows: Errors) -> dict[int, float]:
    """The error of the default over that of the best other sampler, by NFE."""
    others = {name: row for name, row in rows.items() if name != "default"}
    return {
        nfe: error / min(row[nfe] for row in others.values() if nfe in row)
        for nfe, error in rows["default"].items()
    }


def _exceptions(errors: dict[str, Errors]) -> str:
    """Where the default is above `WITHIN` of the best other, in a sentence."""
    found = []
    for problem, rows in errors.items():
        above = [
            f"{nfe} ({share:.3g})" for nfe, share in shares(rows).items() if share > WITHIN + 0.005
        ]
        if above:
            found.append(f"{problem} at {', '.join(above)}")
    return (
        f"The default is above {WITHIN} of the best other on: {'; '.join(found) or 'none'}. One "
        "rule for each kind of diffusion has to serve the smooth scores of mixtures and the rough "
        "ones of networks, and what is best on one of two networks may be worse on the other."
    )


def _name(row: str) -> str:
    """A sampler without the budgets that it is told with."""
    return row.split(", at ")[0]


def plot(errors: dict[str, Errors], path: pathlib.Path) -> None:
    """One panel per problem; a sampler has its colour in all of them, and one legend tells it."""
    import matplotlib

    figure, axes = plotting.panels(len(errors), (5, 5))
    samplers = dict.fromkeys(_name(name) for rows in errors.values() for name in rows)
    colours = dict(zip(samplers, matplotlib.colormaps["tab20"](range(20)), strict=False))
    lines = {}
    for axis, (problem, rows) in zip(axes, errors.items(), strict=True):
        for name, row in rows.items():
            width = 2.5 if name == "default" else 1
            (lines[_name(name)],) = axis.loglog(
                *zip(*row.items(), strict=True), ".-", color=colours[_name(name)], lw=width
            )
        if problem in PUBLISHED:
            _, published = PUBLISHED[problem]
            (lines["published"],) = axis.loglog(*zip(*published.items(), strict=True), "k*--")
        axis.set(title=problem, xlabel="network evaluations (NFE)", ylim=(1e-5, 10))
        plotting.ticks(axis, list(NFES))
    axes[0].set_ylabel("RMS error")
    figure.legend(lines.values(), lines, loc="center left", bbox_to_anchor=(0.91, 0.5))
    plotting.save(figure, path, dpi=110)
