"""Download or generate a data set, so that training and evaluation find it on disk.

For example:
  gddim-tf prepare cifar10
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `prepare`."""
    parser.add_argument("data", help="name of the data set")
    parser.add_argument("--data-dir", help="where to put it (TFDS's own folder by default)")


def run(options: argparse.Namespace) -> None:
    """Prepare."""
    from gddim_tf import data

    print(data.prepare(options.data, options.data_dir))
