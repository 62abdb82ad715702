r"""Train a model, or go on where a run in the same folder stopped.

For example:
  gddim-tf train --data digits --sde vp --conditional --out runs/digits
  gddim-tf train --recipe gddim_cld_cifar10 --strategy mirrored --out runs/cld
  gddim-tf train --recipe ddpm_cifar10 --data folder:~/pictures --image-size 32 --flip \
      --steps 200000 --out runs/mine
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import warnings
from typing import TYPE_CHECKING

from gddim_tf.cli.arguments import (
    DATA_SETS,
    DIFFUSIONS,
    FEATURES,
    NETWORKS,
    features_for,
    image_size,
    listed,
)
from gddim_tf.outputs import Output

if TYPE_CHECKING:
    import keras

    from gddim_tf.training import Recipe

WRITES = {"--out": Output.FOLDER}
# Of images that the network for digits, the default, is good for.
_LARGEST_DIGIT = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `train`; those of the recipe have the names of its fields."""
    parser.add_argument("--out", required=True, help="folder of the run")
    parser.add_argument("--recipe", help=listed("recipe"))
    recipe = parser.add_argument_group(
        "settings",
        "They change those of the recipe. Without --recipe they start from the values in brackets, "
        "which are made for 8x8 digits.",
    )
    recipe.add_argument(
        "--data", dest="dataset", help=f"{DATA_SETS}; folder:PATH or idx:PATH (digits)"
    )
    recipe.add_argument(
        "--image-size", type=image_size, help="pixels a side or HEIGHTxWIDTH (the data set's own)"
    )
    recipe.add_argument("--sde", help=f"{DIFFUSIONS} (vp)")
    recipe.add_argument("--network", help=f"{NETWORKS} (ddpm_digits)")
    recipe.add_argument(
        "--prediction",
        help=f"what the network predicts: {listed('prediction')} (v)",
    )
    recipe.add_argument("--data-std", type=float, help="deviation of the data, of v (1.0)")
    recipe.add_argument("--weighting", help="of the loss: target, eps or min_snr (target)")
    recipe.add_argument("--steps", type=int, help="batches to train on (3000)")
    recipe.add_argument("--batch-size", type=int, help="images, of all devices together (128)")
    recipe.add_argument("--accumulate", type=int, help="steps per update of the weights (1)")
    recipe.add_argument("--learning-rate", type=float, help="of Adam (0.002)")
    recipe.add_argument("--warmup", type=int, help="updates of growing learning rate (200)")
    recipe.add_argument("--ema", type=float, help="decay of the averaged weights (0.995)")
    recipe.add_argument("--clip", type=float, help="largest norm of the gradient (1.0)")
    recipe.add_argument(
        "--label-dropout", type=float, help="share of hidden labels, for guidance (0.1)"
    )
    recipe.add_argument("--dropout", type=float, help="in the network (the network's own)")
    recipe.add_argument("--precision", help="float32 or mixed_bfloat16 (float32)")
    recipe.add_argument("--seed", type=int, help="of weights, order of images and noise (0)")
    recipe.add_argument("--steps-per-epoch", type=int, help="steps between reports (250)")
    for name, text in (
        ("conditional", "tell the network the labels (no)"),
        ("decay", "let the learning rate fall to 0 (yes)"),
        ("flip", "mirror images at random (where it suits the data set; no for a folder)"),
        ("jit", "compile with XLA, for one GPU or TPU (no)"),
    ):
        recipe.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, help=text)
    where = parser.add_argument_group("devices and progress")
    where.add_argument(
        "--strategy", default="one", help="one, mirrored, workers (see TF_CONFIG) or tpu"
    )
    where.add_argument("--virtual-devices", type=int, help="divide the CPU, to try a strategy out")
    where.add_argument("--save-every", type=int, default=1, help="epochs between checkpoints")
    where.add_argument("--grid-every", type=int, help="epochs between pictures of samples")
    where.add_argument("--frechet-every", type=int, help="epochs between Frechet distances")
    where.add_argument("--frechet-count", type=int, default=1000, help="images for each of them")
    where.add_argument("--features", help=f"{FEATURES}; those that suit the data by default")
    where.add_argument("--tensorboard", action="store_true", help="also write for TensorBoard")


def run(options: argparse.Namespace) -> None:
    """Train."""
    from gddim_tf.data.data_info import DataNote
    from gddim_tf.training import Recipe, named_recipe, strategy, train

    devices = strategy(options.strategy, options.virtual_devices)
    recipe = named_recipe(options.recipe) if options.recipe else Recipe()
    changes = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(Recipe)
        if getattr(options, field.name) is not None
    }
    recipe = dataclasses.replace(recipe, **changes)
    if not (options.recipe or options.network):
        _check_default_network(recipe)
    _tell_of_digits(options, recipe)
    warnings.simplefilter("ignore", DataNote)  # the announcement tells them
    train(
        recipe,
        options.out,
        save_every=options.save_every,
        callbacks=_callbacks(options, recipe),
        strategy=devices,
    )
    print(f"the model is in {options.out}/model.keras; gddim-tf sample --model {options.out} draws")


def _tell_of_digits(options: argparse.Namespace, recipe: Recipe) -> None:
    """Warn that other images are trained on with what suits the digits, where nobody chose it."""
    if options.recipe or recipe.dataset == "digits":
        return
    unsaid = [
        f"--{name.replace('_', '-')} {getattr(recipe, name)}"
        for name in ("learning_rate", "ema", "steps")
        if getattr(options, name) is None
    ]
    if unsaid:
        warnings.warn(
            f"without --recipe what is not given suits the 8x8 digits: {', '.join(unsaid)}",
            stacklevel=2,
        )


def _check_default_network(recipe: Recipe) -> None:
    """Refuse to train the digits' network on larger images that nobody chose it for."""
    from gddim_tf import data
    from gddim_tf.image_size import sides, text

    size = recipe.image_size or data.info(recipe.dataset).image_size
    if max(sides(size)) > _LARGEST_DIGIT:
        raise ValueError(
            f"--network must be given for images of {text(size)}: {recipe.network} is made for "
            f"8 x 8; choose one of {NETWORKS}, or a smaller --image-size"
        )


def _callbacks(options: argparse.Namespace, recipe: Recipe) -> list[keras.callbacks.Callback]:
    """The pictures, distances and logs that were asked for."""
    logs = f"{options.out}/tensorboard" if options.tensorboard else None
    from gddim_tf.cli.announcement import Announcement

    callbacks = [Announcement(recipe, pathlib.Path(options.out) / "data.png")]
    if options.grid_every is not None or options.frechet_every is not None:
        from gddim_tf.evaluation import FrechetMonitor, SampleGrid
    if options.grid_every is not None:
        callbacks.append(
            SampleGrid(f"{options.out}/samples", every=options.grid_every, log_dir=logs)
        )
    if options.frechet_every is not None:
        callbacks.append(
            FrechetMonitor(
                recipe.dataset,
                every=options.frechet_every,
                count=options.frechet_count,
                features=features_for(recipe.dataset, options.features),
            )
        )
    if logs:
        import keras

        callbacks.append(keras.callbacks.TensorBoard(logs))
    return callbacks
