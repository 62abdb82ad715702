"""What can go wrong between a client and a server, and how it is told."""

from __future__ import annotations

import re

# Characters of a server's own words that are repeated to the user.
_LONGEST = 500


class ServerUnavailable(ConnectionError):
    """Nobody answers at the address, or the server has too much to do.

    Examples:
      >>> issubclass(ServerUnavailable, OSError)  # like everything that a connection may do
      True
    """


class ModelNotLoaded(OSError):
    """The server answers, and the model is still being loaded.

    Examples:
      >>> issubclass(ModelNotLoaded, ServerUnavailable)  # the server is there
      False
    """


class WrongAnswer(OSError):
    """The server answers something that is not what its protocol or its model promises.

    Examples:
      >>> issubclass(WrongAnswer, OSError)
      True
    """


def telling(message: str) -> str:
    """What a check in the graph said, out of TensorFlow's message; on one line and printable."""
    found = re.search(r"assertion failed: \[(.*?)\] (\[.*\])", message[: 100 * _LONGEST])
    text = " ".join((f"{found[1]} {found[2]}" if found else message[: 10 * _LONGEST]).split())
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
