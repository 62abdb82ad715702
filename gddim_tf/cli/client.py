"""Draw samples from a running TF Serving, as one picture and, if wanted, as an array.

For example:
  gddim-tf client --address localhost:8500 --model digits_vp --labels 0,1,2,3,4,5,6,7,8,9
  gddim-tf client --address localhost:8501 --protocol rest --model digits_vp --labels 3 --seed 7
  gddim-tf client --model digits_vp --signature sample_png_10 --labels 3 --guidance 2 --count 16
"""

from __future__ import annotations

import argparse

from gddim_tf.cli.arguments import whole_numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `client`."""
    parser.add_argument("--address", default="localhost:8500", help="host:port")
    parser.add_argument("--protocol", choices=("grpc", "rest"), default="grpc", help="of --address")
    parser.add_argument("--model", required=True, help="its name on the server")
    parser.add_argument("--signature", default="serving_default", help="of the model")
    parser.add_argument("--nfe", type=int, help="budget, for the signature sample")
    parser.add_argument("--count", type=int, default=100, help="images")
    parser.add_argument("--seed", type=int, default=0, help="of the whole draw")
    parser.add_argument(
        "--labels", type=whole_numbers, help="classes, separated by commas, cycled over the images"
    )
    parser.add_argument("--guidance", type=float, default=1.0, help="weight of the class")
    parser.add_argument("--batch-size", type=int, default=32, help="images per call")
    parser.add_argument("--deadline", type=float, default=60.0, help="seconds for one call")
    parser.add_argument("--wait", type=float, default=10.0, help="seconds for the server to appear")
    parser.add_argument("--out", default="samples.png", help="picture to write")
    parser.add_argument("--array", help="also write the images as uint8 .npy")


def run(options: argparse.Namespace) -> None:
    """Ask, and write the picture."""
    from gddim_tf.cli import pictures
    from gddim_tf.serving import connect

    client = connect(
        options.address,
        options.model,
        options.protocol,
        deadline=options.deadline,
        wait=options.wait,
    )
    images = client.sample(
        options.count,
        options.signature,
        seed=options.seed,
        labels=pictures.labels_of(options.labels, options.count),
        guidance=options.guidance,
        nfe=options.nfe,
        batch_size=options.batch_size,
    )
    pictures.write(images, options.out, options.array)
    print(f"{options.count} images of {options.model} are in {options.out}")
