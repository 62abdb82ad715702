"""The `gddim-tf` command: one file per sub-command, imported when it runs."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Container, Sequence

from gddim_tf._version import __version__
from gddim_tf.cli.arguments import check_names
from gddim_tf.cli.completion import SHELLS, PrintCompletion
from gddim_tf.cli.program import Formatter, Parser, explained, short_warnings
from gddim_tf.outputs import check_outputs
from gddim_tf.quiet import start_tensorflow

COMMANDS = {
    "train": "train a model, or go on where a run stopped",
    "sample": "draw a picture of samples",
    "edit": "draw variations of pictures",
    "inpaint": "draw what is missing in pictures",
    "interpolate": "draw the way from one picture to another",
    "tune": "fit a sampler of few evaluations to a model",
    "evaluate": "measure samplers against real images",
    "likelihood": "measure bits per dimension of real images",
    "export": "write a SavedModel for TF Serving",
    "serve": "serve an exported model on this machine, to try it out",
    "client": "draw a picture of samples from a running TF Serving",
    "app": "try a model in the browser",
    "convert": "turn published weights into a model that samples",
    "prepare": "download or generate a data set",
    "doctor": "tell what is installed, what is missing and how to get it",
}


# Commands that keep what they have done and go on from it.
_RESUMING = ("train", "evaluate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
      arguments: without the program's name; `sys.argv` by default.

    Returns:
      The exit code, as `explained` gives it.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(arguments[:1]).parse_args(arguments)
    program = f"gddim-tf {options.command}"
    return explained(program, lambda: _run(program, options), resumes=options.command in _RESUMING)


def _parser(used: Container[str]) -> Parser:
    """The parser of all commands, with the options of those that are used."""
    parser = Parser(prog="gddim-tf", description="Diffusion models for TensorFlow.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--print-completion",
        choices=SHELLS,
        action=PrintCompletion,
        whole=lambda: _parser(COMMANDS),
        help="print a script that lets the shell complete commands, options and names",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=Parser
    )
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, formatter_class=Formatter)
        if name in used:
            command = importlib.import_module(f"gddim_tf.cli.{name}")
            sub.description = command.__doc__
            command.add_arguments(sub)
            sub.add_argument(
                "--verbose", action="store_true", help="show what TensorFlow writes as it starts"
            )
            sub.set_defaults(run=command.run, writes=getattr(command, "WRITES", {}))
    return parser


def _run(program: str, options: argparse.Namespace) -> None:
    check_names(options)
    check_outputs(options, options.writes)
    with short_warnings(program, options.verbose):
        if not options.verbose:
            start_tensorflow()
        options.run(options)
