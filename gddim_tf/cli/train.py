"""Train a model, or go on where a run in the same folder stopped.

For example:
  gddim-tf train --data digits --sde vp --conditional --out runs/digits
  gddim-tf train --data folder:~/pictures --image-size 32 --network ddpm_cifar10 --out runs/mine
  gddim-tf train --recipe gddim_cld_cifar10 --strategy mirrored --out runs/cld
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from gddim_tf.training import Recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `train`; those of the recipe have the names of its fields."""
    parser.add_argument("--out", required=True, help="folder of the run")
    parser.add_argument(
        "--recipe",
        help="digits, ddpm_cifar10, ddpmpp_cifar10, gddim_cld_cifar10 or gddim_bdm_cifar10; "
        "the options below change it, and without it the digits",
    )
    recipe = parser.add_argument_group("recipe")
    recipe.add_argument("--data", dest="dataset", help="data set, or folder:PATH")
    recipe.add_argument("--image-size", type=int, help="pixels a side (the data set's own)")
    recipe.add_argument("--sde", help="vp, cosine, ddpm, ve, cld or bdm")
    recipe.add_argument("--network", help="preset of the network")
    recipe.add_argument("--prediction", help="what the network predicts: eps, x0, v, ...")
    recipe.add_argument("--weighting", help="of the loss: target, eps or min_snr")
    recipe.add_argument("--steps", type=int)
    recipe.add_argument("--batch-size", type=int, help="of all devices together")
    recipe.add_argument("--accumulate", type=int, help="steps per update of the weights")
    recipe.add_argument("--learning-rate", type=float)
    recipe.add_argument("--warmup", type=int, help="updates of growing learning rate")
    recipe.add_argument("--ema", type=float, help="decay of the averaged weights")
    recipe.add_argument("--clip", type=float, help="largest norm of the gradient")
    recipe.add_argument("--label-dropout", type=float, help="for classifier-free guidance")
    recipe.add_argument("--dropout", type=float, help="the preset's own by default")
    recipe.add_argument("--precision", help="float32 or mixed_bfloat16")
    recipe.add_argument("--seed", type=int)
    recipe.add_argument("--steps-per-epoch", type=int)
    for name, text in (
        ("conditional", "tell the network the labels"),
        ("decay", "let the learning rate fall to 0"),
        ("flip", "mirror images at random; where it suits the data set by default"),
        ("jit", "compile with XLA, for GPU and TPU"),
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
    where.add_argument("--features", default="digits", help="digits, inception or inception:PATH")
    where.add_argument("--tensorboard", action="store_true", help="also write for TensorBoard")


def run(options: argparse.Namespace) -> None:
    """Train."""
    from gddim_tf.training import Recipe, named_recipe, strategy, train

    devices = strategy(options.strategy, options.virtual_devices)
    recipe = named_recipe(options.recipe) if options.recipe else Recipe()
    changes = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(Recipe)
        if getattr(options, field.name) is not None
    }
    recipe = dataclasses.replace(recipe, **changes)
    train(
        recipe,
        options.out,
        save_every=options.save_every,
        callbacks=_callbacks(options, recipe),
        strategy=devices,
    )
    print(f"the model is in {options.out}/model.keras")


def _callbacks(options: argparse.Namespace, recipe: Recipe) -> list[keras.callbacks.Callback]:
    """The pictures, distances and logs that were asked for."""
    logs = f"{options.out}/tensorboard" if options.tensorboard else None
    callbacks = []
    if options.grid_every or options.frechet_every:
        from gddim_tf.evaluation.monitors import FrechetMonitor, SampleGrid
    if options.grid_every:
        callbacks.append(
            SampleGrid(f"{options.out}/samples", every=options.grid_every, log_dir=logs)
        )
    if options.frechet_every:
        callbacks.append(
            FrechetMonitor(
                recipe.dataset,
                every=options.frechet_every,
                count=options.frechet_count,
                features=options.features,
            )
        )
    if logs:
        import keras

        callbacks.append(keras.callbacks.TensorBoard(logs))
    return callbacks
