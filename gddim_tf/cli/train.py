"""Train a model, or go on where a run in the same folder stopped.

For example:
  gddim-tf train --data digits --sde vp --conditional --out runs/digits
  gddim-tf train --data folder:~/pictures --image-size 32 --network ddpm_cifar10 --out runs/mine
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `train`; each one is a field of `training.Recipe`."""
    parser.add_argument("--out", required=True, help="folder of the run")
    parser.add_argument("--data", default="digits", help="data set, or folder:PATH")
    parser.add_argument("--image-size", type=int, help="pixels a side (the data set's own)")
    parser.add_argument("--sde", default="vp", help="vp, cosine, ddpm, ve, cld or bdm")
    parser.add_argument("--network", default="ddpm_digits", help="preset of the network")
    parser.add_argument("--prediction", default="v", help="what the network predicts: eps, x0, v")
    parser.add_argument("--conditional", action="store_true", help="tell the network the labels")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=200, help="steps of growing learning rate")
    parser.add_argument(
        "--decay",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="let the learning rate fall to 0",
    )
    parser.add_argument("--ema", type=float, default=0.995, help="decay of the averaged weights")
    parser.add_argument("--clip", type=float, default=1.0, help="largest norm of the gradient")
    parser.add_argument("--dropout", type=float, help="the preset's own by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps-per-epoch", type=int, default=250)
    parser.add_argument("--save-every", type=int, default=1, help="epochs between checkpoints")


def run(options: argparse.Namespace) -> None:
    """Train."""
    from gddim_tf.training import Recipe, train

    recipe = Recipe(
        dataset=options.data,
        sde=options.sde,
        network=options.network,
        prediction=options.prediction,
        steps=options.steps,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        warmup=options.warmup,
        decay=options.decay,
        ema=options.ema,
        clip=options.clip,
        conditional=options.conditional,
        image_size=options.image_size,
        dropout=options.dropout,
        seed=options.seed,
        steps_per_epoch=options.steps_per_epoch,
    )
    train(recipe, options.out, options.save_every)
    print(f"the model is in {options.out}/model.keras")
