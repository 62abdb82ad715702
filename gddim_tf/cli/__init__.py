"""The `gddim-tf` command: one file per sub-command, imported when it runs."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from gddim_tf._version import __version__

COMMANDS = {
    "train": "train a model, or go on where a run stopped",
    "sample": "draw a picture of samples",
    "evaluate": "measure samplers against real images",
    "tables": "make the published tables again",
    "likelihood": "measure bits per dimension of real images",
    "export": "write a SavedModel for TF Serving",
    "client": "draw a picture of samples from a running TF Serving",
    "convert": "turn published weights into a model that samples",
    "prepare": "download or generate a data set",
}


# Commands that keep what they have done and go on from it.
_RESUMING = ("train", "evaluate", "tables")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with exit code 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help that leaves examples as they are and tells the defaults."""

    def _get_help_string(self, action: argparse.Action) -> str:
        if action.default is None or action.default is False or action.default is argparse.SUPPRESS:
            return action.help
        return f"{action.help} (default: %(default)s)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
      arguments: without the program's name; `sys.argv` by default.

    Returns:
      The exit code: 0, or 2 after one line that says what was wrong with the arguments or files.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parser = _Parser(prog="gddim-tf", description="Diffusion models for TensorFlow.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Parser
    )
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, formatter_class=_Formatter)
        if arguments[:1] == [name]:
            command = importlib.import_module(f"gddim_tf.cli.{name}")
            sub.description = command.__doc__
            command.add_arguments(sub)
            sub.set_defaults(run=command.run)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, TypeError, OSError, ImportError) as error:
        message = " ".join(str(error).split())
        print(f"gddim-tf {options.command}: error: {message}", file=sys.stderr)
        return 2
    except _graph_errors() as error:
        print(f"gddim-tf {options.command}: error: {_telling_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        more = "; the same command goes on from here" if options.command in _RESUMING else ""
        print(f"interrupted{more}", file=sys.stderr)
        return 130
    return 0


def _graph_errors() -> tuple[type[Exception], ...]:
    """What TensorFlow raises while a graph runs; nothing if it was never imported."""
    tensorflow = sys.modules.get("tensorflow")
    return (tensorflow.errors.OpError,) if tensorflow else ()


def _telling_line(text: str) -> str:
    """The line of a graph error that an assertion or a data pipeline wrote."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if "must be" in line or line.startswith("ValueError"):
            return line.removeprefix("ValueError:").strip()
    return lines[0]
