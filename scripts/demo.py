"""The whole path on real images: train, sample, evaluate, export, serve.

Everything it makes is under `--out`: `model.keras`, `digits.png` (real beside generated),
`classes.png` (one row per class), `denoising.gif` and `denoising.png`, `results.md` and
`results.json`, `pairs` (the generated images that are closest to training images), and `served/1`,
a SavedModel that a second process calls with TensorFlow alone.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import time

import numpy as np

from gddim_tf.quiet import start_tensorflow

start_tensorflow()

from gddim_tf import data, evaluation, samplers, serving  # noqa: E402
from gddim_tf.cli.program import explained  # noqa: E402
from gddim_tf.evaluation.compare import compare  # noqa: E402
from gddim_tf.outputs import Output, parsed  # noqa: E402
from gddim_tf.training import Recipe, train  # noqa: E402

CLIENT = """
import sys, numpy as np, tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
count = 16
images = served.signatures["sample_20"](
    seed=tf.range(count), label=tf.range(count) % 10, guidance=tf.ones(count)
)["image"].numpy()
if any(name.startswith("gddim_tf") for name in sys.modules):
    sys.exit("the exported model needed gddim_tf")
np.save(sys.argv[2], images)
"""


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/demo"))
    parser.add_argument("--steps", type=int, default=3000, help="training steps")
    parser.add_argument("--count", type=int, default=1500, help="images per line of the table")
    options = parsed(parser, {"--out": Output.FOLDER})
    out, began = options.out, time.time()

    heading("1/5 training")
    recipe = Recipe(steps=options.steps, conditional=True)
    model = train(recipe, out)

    heading("2/5 pictures")
    digits = np.arange(100) % 10
    generated = model.sample(100, nfe=50, labels=digits, progress=True)
    real = next(iter(data.load("digits", "test", batch_size=100, shuffle=False)))
    evaluation.save_comparison(real, generated, out / "digits.png")
    rows = model.sample(100, nfe=50, labels=np.repeat(np.arange(10), 10), guidance=1.5)
    evaluation.save_grid(rows, out / "classes.png", columns=10)
    path = model.path(10, nfe=50)
    evaluation.save_strip(path[::5], out / "denoising.png")
    evaluation.save_gif(path, out / "denoising.gif")

    heading("3/5 evaluation")
    accuracy = evaluation.digits_accuracy(evaluation.load_digits_classifier())
    report = compare(
        model,
        [None, samplers.DDIM(), samplers.DDIM(eta=1.0)],
        [10, 20, 50],
        dataset="digits",
        count=options.count,
        directory=out,
        settings={
            "model": f"ddpm_digits preset, {options.steps} steps, VP, classes",
            "features' accuracy on the test split": f"{accuracy:.1%}",
        },
    )
    report.write(out)
    print(report.markdown())

    heading("4/5 export")
    served = out / "served" / "1"
    if not served.exists():
        budgets = {f"sample_{nfe}": (samplers.DDIM(), nfe) for nfe in (10, 20, 50)}
        serving.export(model, served.parent, budgets, version=1)
    print(f"{served} has sample_10, sample_20, sample_50 and more signatures")

    heading("5/5 a process that imports only TensorFlow")
    answer = out / "served.npy"
    client = [sys.executable, "-c", CLIENT, str(served), str(answer)]
    ended = subprocess.run(client, stderr=subprocess.PIPE, text=True)
    if ended.returncode:
        sys.exit(ended.stderr)  # which otherwise tells how TensorFlow starts
    evaluation.save_grid(np.load(answer), out / "served.png")
    print(f"it drew {out}/served.png")
    print(f"\nall of it took {time.time() - began:.0f} s; look at {out}")
    print("docs/clothes.md tells how to do the same with photographs of clothes")


def heading(text: str) -> None:
    """Say which part begins."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(explained("scripts/demo.py", main, resumes=True))
