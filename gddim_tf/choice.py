"""One of several names or numbers."""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Iterable


def one_of(argument: str, value: object, known: Iterable[str]) -> None:
    """Refuse a name that is not known, with the one that it resembles.

    Args:
      argument: what the name was given as.
      value: the name.
      known: the names that there are, in the order in which they are told.

    Raises:
      ValueError: if the name is none of them.

    Examples:
      >>> one_of("sampler", "unipd", ("ddim", "unipc"))
      Traceback (most recent call last):
        ...
      ValueError: `sampler` must be one of ddim, unipc, received 'unipd'; did you mean unipc?
    """
    known = list(known)
    if value in known:
        return
    raise ValueError(
        f"`{argument}` must be one of {', '.join(known)}, received {value!r}{meant(value, known)}"
    )


def one_of_few(argument: str, value: object, *known: str | int) -> None:
    """Refuse a setting that is none of a few texts or whole numbers.

    Args:
      argument: the name of the setting.
      value: what was given; True and 2.0 are not whole numbers.
      *known: what there is, two at least, in the order in which they are told.

    Raises:
      ValueError: if the value is none of them.

    Examples:
      >>> one_of_few("order", 4, 1, 2, 3)
      Traceback (most recent call last):
        ...
      ValueError: `order` must be 1, 2 or 3, received 4
    """
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if (whole or isinstance(value, str)) and value in known:
        return
    *most, last = (f'"{each}"' if isinstance(each, str) else str(each) for each in known)
    received = repr(value) if isinstance(value, str) else value
    raise ValueError(f"`{argument}` must be {', '.join(most)} or {last}, received {received}")


def meant(value: object, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the known one that it resembles, if any.

    Examples:
      >>> meant("cifar", ("digits", "cifar10"))
      '; did you mean cifar10?'
    """
    close = difflib.get_close_matches(value, list(known), n=1) if isinstance(value, str) else []
    return f"; did you mean {close[0]}?" if close else ""
