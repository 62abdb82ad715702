"""Error against NFE of tuned and untuned samplers, from what `gddim-tf tune` wrote.

Run: `python scripts/tuning.py runs/tuned_vp runs/tuned_cld runs/tuned_bdm --out docs/tuning.png`.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from gddim_tf.atomic import atomic_write
from gddim_tf.samplers import Tuned


def main() -> None:
    """Read the records and draw a panel for each folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/tuning.png"))
    options = parser.parse_args()
    with atomic_write(options.out) as draft:
        plot([Tuned.load(folder) for folder in options.folders], draft)


def plot(samplers: list[Tuned], path: pathlib.Path) -> None:
    """One panel per sampler: the errors on the seeds that were kept apart."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(1, len(samplers), figsize=(4 * len(samplers), 4), squeeze=False)
    for axis, sampler in zip(axes[0], samplers, strict=True):
        records = [fitted.record for _, fitted in sorted(sampler.budgets.items())]
        budgets = [record["nfe"] for record in records]
        for key, label in (("error_before", "untuned"), ("error_after", "tuned")):
            axis.loglog(budgets, [record[key] for record in records], ".-", label=label)
        axis.set(title=records[0]["sde"].split("(")[0], xlabel="NFE")
        axis.set_xticks(budgets, [str(nfe) for nfe in budgets])
        axis.xaxis.set_minor_locator(ticker.NullLocator())
        axis.legend()
    axes[0][0].set_ylabel("RMS distance to the fine images")
    figure.savefig(path, dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
