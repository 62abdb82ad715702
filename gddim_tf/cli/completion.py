"""Completion of the command line by the shell, written by shtab."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from gddim_tf.cli.names import KINDS, names

SHELLS = ("bash", "zsh", "tcsh")

# Options whose values are names of a kind that is called otherwise.
_ALIASES = {"dataset": "data set", "data": "data set", "preset": "network", "samplers": "sampler"}
_FILES = (
    *("model", "out", "to", "source", "array", "each", "image", "mask", "steps_picture"),
    *("config", "ca_file", "token_file"),
)


class PrintCompletion(argparse.Action):
    """The option that prints a completion script and leaves.

    Args:
      whole: makes the parser with the options of every command.
    """

    def __init__(
        self, *args: Any, whole: Callable[[], argparse.ArgumentParser], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._whole = whole

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Print the script for the shell that was named."""
        try:
            print(script(self._whole(), str(values)))
        except ImportError:
            parser.error('completion needs shtab: pip install "gddim_tf[completion]"')
        parser.exit()


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """What a shell has to run to complete commands, options, names and files.

    Args:
      parser: of the program; its options learn the names that they take.
      shell: one of `SHELLS`.

    Raises:
      ImportError: if shtab is not installed.
    """
    import shtab

    for action in _actions(parser):
        kind = _ALIASES.get(action.dest, action.dest)
        if kind in KINDS:
            action.choices = names(kind)
        elif action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab looks there
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The options of a parser and of its commands."""
    found = []
    for action in parser._actions:
        found.append(action)
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                found += _actions(command)
    return found
