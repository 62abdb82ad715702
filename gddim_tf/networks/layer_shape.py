"""The shape of what a layer is given."""

from __future__ import annotations

from typing import Any

# Sizes by axis. Keras says None where one is open; those that a layer reads (channels, for the most
# part) are known when it is built.
Shape = tuple[Any, ...]
