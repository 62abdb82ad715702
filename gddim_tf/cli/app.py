"""Try a model in the browser: two samplers side by side, and a brush for what to draw anew.

The page is for you alone: it listens on this machine, and nothing leaves it.

For example:
  gddim-tf app --model saved_models/digits_vp
  gddim-tf app --model runs/digits --port 7861
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `app`."""
    parser.add_argument("--model", required=True, help=".keras file, run or exported model")
    parser.add_argument(
        "--host", default="127.0.0.1", help="to listen at; 0.0.0.0 lets other machines in"
    )
    parser.add_argument("--port", type=int, default=7860, help="to listen at; 0 for a free one")


def run(options: argparse.Namespace) -> None:
    """Show the page until Ctrl-C or SIGTERM."""
    import pathlib

    from gddim_tf.app.launch import show
    from gddim_tf.models import load

    path = pathlib.Path(options.model).resolve()
    numbered = path.name.isdigit() or path.name == "model.keras"
    title = path.parent.name if numbered else path.stem
    show(load(options.model), title, options.host, options.port)
