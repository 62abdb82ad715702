"""The picture of docs/clothes.md: one column per class, three rows for each of the shipped models.

Run: `python scripts/clothes.py --out docs/clothes.png`; half a minute on two cores.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

import numpy as np

import gddim_tf as gd
from gddim_tf import samplers
from gddim_tf.cli.program import explained
from gddim_tf.data import FASHION_MNIST_CLASSES
from gddim_tf.evaluation import save_grid
from gddim_tf.outputs import Output, parsed

ROOT = pathlib.Path(__file__).parents[1]
# With noise: images of 50 evaluations are nearest to real ones with it, as docs/clothes.md tells.
SAMPLERS = {
    "vp": samplers.DDIM(eta=1),
    "cld": samplers.StochasticGDDIM(lam=1),
    "bdm": samplers.DDIM(eta=1),
}
ROWS, NFE = 3, 50


def main() -> None:
    """Draw with noise, no guidance, the same seeds for all."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--kinds", default=",".join(SAMPLERS), help="models, separated by commas")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "clothes.png")
    options = parsed(parser, {"--out": Output.PICTURE})
    kinds = [kind.strip() for kind in options.kinds.split(",")]
    for kind in kinds:  # before any is drawn
        if kind not in SAMPLERS:
            known = ", ".join(SAMPLERS)
            raise ValueError(f"`--kinds` must be some of {known}, received {kind!r}")
    classes = np.arange(len(FASHION_MNIST_CLASSES))
    rows = [
        gd.load(ROOT / "saved_models" / f"fashion_{kind}").sample(
            ROWS * len(classes),
            SAMPLERS[kind],
            NFE,
            labels=np.tile(classes, ROWS),
            progress=True,
        )
        for kind in kinds
    ]
    titles = FASHION_MNIST_CLASSES
    save_grid(np.concatenate(rows), options.out, columns=len(classes), scale=2, titles=titles)


if __name__ == "__main__":
    sys.exit(explained("scripts/clothes.py", main))
