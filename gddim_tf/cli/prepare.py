"""Download or generate a data set, so that training and evaluation find it on disk.

For example:
  gddim-tf prepare cifar10

fashion_mnist, cifar10 and celeb_a are downloaded; digits and photo_patches need no network. The
others cannot be downloaded here: let TFDS write them elsewhere and set GDDIM_TF_DATA_DIR to the
folder, or unpack the images and read them as folder:PATH. Files of MNIST's format need no
preparing: idx:PATH reads them where they are.
"""

from __future__ import annotations

import argparse

from gddim_tf.cli.arguments import DATA_SETS
from gddim_tf.outputs import Output

WRITES = {"--data-dir": Output.FOLDER}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `prepare`."""
    parser.add_argument("data", help=DATA_SETS)
    parser.add_argument(
        "--data-dir",
        help="where to put it; by default $GDDIM_TF_DATA_DIR or else ~/tensorflow_datasets",
    )


def run(options: argparse.Namespace) -> None:
    """Prepare."""
    from gddim_tf import data

    print(data.prepare(options.data, options.data_dir))
