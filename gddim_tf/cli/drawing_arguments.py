"""The options of every command that draws images with a model; they need no TensorFlow."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gddim_tf.cli.arguments import SAMPLERS, classes
from gddim_tf.outputs import Output

if TYPE_CHECKING:
    from gddim_tf.models.guidance import Guidance

# What every command that draws writes, by the options that name it.
DRAWN = {"--out": Output.PICTURE, "--array": Output.FILE}


def add_drawing_arguments(parser: argparse.ArgumentParser, out: str, labels: str) -> None:
    """Model, sampler, budget, seed, classes, guidance and files.

    Args:
      parser: of the command.
      out: the picture, if none is named.
      labels: what the classes are given for.
    """
    parser.add_argument("--model", required=True, help=".keras file, run or exported model")
    parser.add_argument("--out", default=out, help="picture to write")
    parser.add_argument("--array", help="also write the images as uint8 .npy")
    parser.add_argument("--sampler", default="default", help=SAMPLERS)
    parser.add_argument("--nfe", type=int, default=50, help="network evaluations per image")
    parser.add_argument("--seed", type=int, default=0, help="of the whole draw")
    parser.add_argument(
        "--labels",
        type=classes,
        help=f"classes, by name or number, separated by commas; {labels}",
    )
    parser.add_argument("--guidance", type=float, help="weight of the class, 1 is plain")
    parser.add_argument(
        "--guidance-interval",
        type=interval,
        metavar="LOW,HIGH",
        help="guide only where the noise over the signal is between these; the rest costs half",
    )
    parser.add_argument("--batch-size", type=int, default=256, help="images at a time")


def interval(text: str) -> tuple[float, float]:
    """Two numbers separated by a comma, as the `type` of an option.

    Raises:
      ArgumentTypeError: if it is something else; argparse names the option.
    """
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be two numbers separated by a comma, received {text!r}"
        ) from None
    return low, high


def guidance_of(options: argparse.Namespace) -> float | Guidance | None:
    """The guidance of the options.

    Raises:
      ValueError: if there is an interval without a weight, or its bounds are in another order.
    """
    if options.guidance_interval is None:
        return options.guidance
    if options.guidance is None:
        raise ValueError("`--guidance-interval` needs the weight `--guidance`, received none")
    from gddim_tf.models.guidance import Guidance, Interval

    return Guidance(options.guidance, Interval(*options.guidance_interval))
