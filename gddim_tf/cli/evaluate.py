r"""Measure samplers: Frechet and kernel distance to the real images, and the time they take.

For example:
  gddim-tf evaluate --model runs/digits --samplers "default, ddim" --nfe 10,20,50 \
      --count 1500 --out runs/digits/evaluation
  gddim-tf evaluate --model runs/mine --features random --nfe 20 --out runs/mine/evaluation

Images that were made are kept in `--out` and not made again.
"""

from __future__ import annotations

import argparse
import pathlib

from gddim_tf.cli.arguments import FEATURES, features_for, named_samplers, whole_numbers
from gddim_tf.cli.results import add_json_argument, tell
from gddim_tf.cli.run_of_model import data_of, recipe_of
from gddim_tf.outputs import Output

WRITES = {"--out": Output.FOLDER}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `evaluate`."""
    parser.add_argument("--model", required=True, help=".keras file, run or exported model")
    parser.add_argument("--out", required=True, help="folder for images, results.json, results.md")
    parser.add_argument("--data", help="real images to compare with; by default those of the run")
    parser.add_argument("--split", default="train", help="split of the real images")
    parser.add_argument("--floor-split", help="second real split; its distance is the one to beat")
    parser.add_argument(
        "--samplers",
        default="default",
        help='names, separated by commas: "default, ddim(eta=1)"',
    )
    parser.add_argument(
        "--nfe", type=whole_numbers, default="50", help="budgets, separated by commas"
    )
    parser.add_argument("--count", type=int, default=1500, help="images per sampler and budget")
    parser.add_argument("--features", help=f"{FEATURES}; those that suit the data by default")
    parser.add_argument("--guidance", type=float, help="weight of the class, 1 is plain")
    parser.add_argument("--seed", type=int, default=0, help="of the images")
    parser.add_argument("--batch-size", type=int, default=500, help="of all devices together")
    parser.add_argument(
        "--strategy", choices=("one", "mirrored", "tpu"), default="one", help="as in train"
    )
    parser.add_argument("--virtual-devices", type=int, help="divide the CPU, to try a strategy out")
    add_json_argument(parser)


def run(options: argparse.Namespace) -> None:
    """Generate what is missing, measure, write and print the table."""
    from gddim_tf.evaluation.compare import compare
    from gddim_tf.models import load
    from gddim_tf.training import strategy

    devices = strategy(options.strategy, options.virtual_devices)
    with devices.scope():
        model = load(options.model)
        dataset = data_of(options.model, options.data, model.image_shape)
        report = compare(
            model,
            named_samplers(options.samplers),
            options.nfe,
            dataset=dataset,
            split=options.split,
            floor_split=options.floor_split,
            features=features_for(dataset, options.features),
            count=options.count,
            seed=options.seed,
            guidance=options.guidance,
            batch_size=options.batch_size,
            directory=options.out,
            settings=_model_settings(pathlib.Path(options.model)),
        )
    report.write(options.out)
    tell(options, report.flat(), report.markdown())


def _model_settings(path: pathlib.Path) -> dict[str, str]:
    """Where the weights come from: the file, and the recipe of the run that it belongs to."""
    from gddim_tf.digest import file_digest

    file = path / "model.keras" if (path / "model.keras").exists() else path
    settings = {"model": str(path), "sha256 of the model": file_digest(file)}
    if told := recipe_of(path):
        settings["training"] = ", ".join(f"{name} {value}" for name, value in told.items())
        settings["weights used"] = f"their average, decay {told.get('ema')}"
    return settings
