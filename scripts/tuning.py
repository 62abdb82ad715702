"""Error and Frechet distance against NFE of tuned and untuned samplers, a picture and a table.

Run: `python scripts/tuning.py runs/tuned_vp runs/tuned_cld runs/tuned_bdm --out docs/tuning.png`.
Each folder is one that `gddim-tf tune` wrote, with that of `gddim-tf evaluate` in `evaluation`.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

from gddim_tf.atomic import atomic_write
from gddim_tf.cli.program import explained
from gddim_tf.outputs import Output, parsed
from gddim_tf.samplers import Tuned

# Distances by the sampler's name and NFE.
Distances = dict[str, dict[int, float]]

_DASH = "-"


def main() -> None:
    """Read the records, print them as a table and draw a column for each folder."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/tuning.png"))
    options = parsed(parser, {"--out": Output.PICTURE})
    for folder in options.folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"`folders` {folder}: there is no such folder")
    samplers = [Tuned.load(folder) for folder in options.folders]
    distances = [distances_of(folder) for folder in options.folders]
    for folder, sampler, found in zip(options.folders, samplers, distances, strict=True):
        print(table(folder.name, sampler, found))
    with atomic_write(options.out) as draft:
        plot(samplers, distances, draft)


def distances_of(folder: pathlib.Path) -> Distances:
    """Frechet distances of an evaluation; none if there was none."""
    path = folder / "evaluation" / "results.json"
    found: Distances = {}
    for row in json.loads(path.read_text())["rows"] if path.exists() else ():
        name = row["sampler"]
        for told in ("default", "tuned"):  # without their arguments, which follow the budget
            name = told if name.lower().startswith(told) else name
        found.setdefault(name, {})[row["nfe"]] = row["frechet"]
    return found


def errors_of(sampler: Tuned) -> Distances:
    """RMS distances to the fine images, before and after the fit, on seeds that were kept apart."""
    records = [fitted.record for _, fitted in sorted(sampler.budgets.items())]
    keys = {"untuned": "error_before", "tuned": "error_after"}
    return {name: {record["nfe"]: record[key] for record in records} for name, key in keys.items()}


def table(name: str, sampler: Tuned, distances: Distances) -> str:
    """Both kinds of distances in Markdown."""
    budgets = sorted(sampler.budgets)
    lines = [f"| {name} | {' | '.join(map(str, budgets))} |", "|---" * (len(budgets) + 1) + "|"]
    for kind, found in (("error", errors_of(sampler)), ("Frechet", distances)):
        for told, row in found.items():
            cells = (f"{row[nfe]:.3g}" if nfe in row else _DASH for nfe in budgets)
            lines.append(f"| {kind}, {told} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plot(samplers: list[Tuned], distances: list[Distances], path: pathlib.Path) -> None:
    """A column per sampler: the errors, and the Frechet distances below where there are some."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    rows = 2 if any(distances) else 1
    size = (4 * len(samplers), 3.5 * rows)
    figure, axes = pyplot.subplots(
        rows, len(samplers), figsize=size, squeeze=False, layout="constrained"
    )
    for column, (sampler, found) in enumerate(zip(samplers, distances, strict=True)):
        for axis, lines in zip(axes[:, column], (errors_of(sampler), found), strict=False):
            for label, points in lines.items():
                style = {"color": "black", "linewidth": 2.5} if label == "tuned" else {}
                axis.loglog(list(points), list(points.values()), ".-", label=label, **style)
            budgets = sorted(sampler.budgets)
            axis.set_xticks(budgets, [str(nfe) for nfe in budgets])
            axis.xaxis.set_minor_locator(ticker.NullLocator())
            axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
            axis.yaxis.set_minor_locator(ticker.NullLocator())
            axis.legend(fontsize="small")
        first = next(iter(sampler.budgets.values())).record
        axes[0][column].set_title(first["sde"].split("(")[0])
        axes[-1][column].set_xlabel("network evaluations (NFE)")
    axes[0][0].set_ylabel("RMS distance to the fine images")
    if rows == 2:
        axes[1][0].set_ylabel("Frechet distance to real images")
    figure.savefig(path, dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    sys.exit(explained("scripts/tuning.py", main))
