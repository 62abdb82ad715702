"""What a command found out, for people or for machines."""

from __future__ import annotations

import argparse
import json
from typing import Any


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """The option `--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")


def tell(options: argparse.Namespace, found: dict[str, Any], text: str) -> None:
    """Print what was found.

    Args:
      options: with that of `add_json_argument`.
      found: plain values, for machines.
      text: the same for people.
    """
    print(json.dumps(found, indent=2) if options.json else text)
