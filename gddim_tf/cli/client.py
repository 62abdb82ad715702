r"""Draw samples from a running TF Serving, as one picture and, if wanted, as an array.

For example:
  gddim-tf client --address localhost:8500 --model digits_vp --labels 0,1,2,3,4,5,6,7,8,9
  gddim-tf client --address localhost:8501 --protocol rest --model digits_vp --labels 3 --seed 7
  gddim-tf client --model digits_vp --signature sample_png_10 --labels 3 --guidance 2 --count 16
  gddim-tf client --address images.example.org:443 --protocol rest --model digits_vp --labels 3 \
      --tls --token-file ~/.token
"""

from __future__ import annotations

import argparse
import pathlib

from gddim_tf.cli.arguments import named_value, whole_numbers
from gddim_tf.cli.drawing_arguments import DRAWN

WRITES = DRAWN
_LONGEST_TOKEN = 2**16


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
    parser.add_argument("--tls", action="store_true", help="speak TLS with the server")
    parser.add_argument("--ca-file", help="PEM file of the authorities to trust; it implies --tls")
    parser.add_argument("--token-file", help="file with the token to send; TLS is needed for it")
    parser.add_argument(
        "--metadata",
        type=named_value,
        action="append",
        metavar="NAME=VALUE",
        help="to send with every call; may be given again",
    )
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
        tls=options.tls,
        ca_file=options.ca_file,
        token=_token(options.token_file),
        metadata=dict(options.metadata or ()),
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
    titles = pictures.titles_of(options.labels, ())
    pictures.write(images, options.out, options.array, titles)
    print(f"{options.count} images of {options.model} are in {options.out}")


def _token(file: str | None) -> str | None:
    """The first line of a file, which tells no other user of the machine what it holds."""
    if file is None:
        return None
    try:
        with pathlib.Path(file).expanduser().open(encoding="utf-8") as stream:
            return stream.readline(_LONGEST_TOKEN).strip()
    except UnicodeDecodeError:
        raise ValueError(f"`token-file` must hold a token, received {file}, no text") from None
