"""What a command-line program is here: one-line errors, and exit codes that tell."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import NoReturn

# Of interest to who looks for a reason, and repeated by every command.
_USUAL = "no warm-up requests are written|.*`shuffle=True` was passed"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with exit code 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help that leaves examples as they are and tells the defaults."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False or action.default is argparse.SUPPRESS:
            return action.help
        return f"{action.help} (default: %(default)s)"


@contextlib.contextmanager
def short_warnings(program: str, verbose: bool) -> Iterator[None]:
    """Warnings in a line without the place in the code, and none of those that are usual.

    Args:
      program: whose name stands in front.
      verbose: leave warnings as they are.
    """
    usual = warnings.formatwarning
    if not verbose:
        warnings.formatwarning = lambda message, *_, **__: f"{program}: {message}\n"
    try:
        with warnings.catch_warnings():
            if not verbose:
                warnings.filterwarnings("ignore", _USUAL)
            yield
    finally:
        warnings.formatwarning = usual


def explained(name: str, command: Callable[[], object], resumes: bool = False) -> int:
    """Run a command, and turn what users can get wrong into one line on the error stream.

    Args:
      name: of the program, in front of the line.
      command: to be run.
      resumes: whether the same command goes on where an interruption stopped it.

    Returns:
      The exit code: 0; 2 after one line that says what was wrong with the arguments or files; 130
      after an interruption.
    """
    try:
        command()
    except (ValueError, TypeError, OSError, ImportError) as error:
        message = " ".join(str(error).split())
        print(f"{name}: error: {message}", file=sys.stderr)
        return 2
    except MemoryError as error:
        message = " ".join(str(error).split())
        print(f"{name}: error: there is not enough memory: {message}", file=sys.stderr)
        return 2
    except _graph_errors() as error:
        print(f"{name}: error: {_telling_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        more = "; the same command goes on from what is kept" if resumes else ""
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
    if lines[0].endswith(":"):  # the reason is after where in the code it was, before [[{{node ...
        reasons = [line for line, after in itertools.pairwise(lines) if after.startswith("[[")]
        return " ".join([lines[0], *(reasons or lines[1:])[:1]])
    return lines[0]
