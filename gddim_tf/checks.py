"""Numbers that a user gives, and the one way to refuse those that cannot be meant."""

from __future__ import annotations

import math
import numbers

SEED_RANGE = (-(2**31), 2**31 - 1)

# Beyond it images are noise; used weights are below 20.
GUIDANCE_RANGE = (-1e4, 1e4)


def whole(name: str, value: object, lowest: int, highest: int | None = None) -> int:
    """A whole number in a range.

    Args:
      name: of the argument, for the message.
      value: what was given; True and 2.0 are not whole numbers.
      lowest: the smallest that is taken.
      highest: the largest; None for any.

    Returns:
      The number.

    Raises:
      TypeError: if it is not a whole number.
      ValueError: if it is out of the range.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"`{name}` must be a whole number, received {value!r}")
    number = int(value)
    if number < lowest:
        raise ValueError(f"`{name}` must be at least {lowest}, received {value}")
    if highest is not None and number > highest:
        raise ValueError(f"`{name}` must be at most {highest}, received {value}")
    return number


def real(
    name: str, value: object, lowest: float, highest: float = math.inf, *, above: bool = False
) -> float:
    """A finite number in a range.

    Args:
      name: of the argument, for the message.
      value: what was given.
      lowest: the smallest that is taken.
      highest: the largest; infinity for any.
      above: whether `lowest` itself is refused.

    Returns:
      The number.

    Raises:
      TypeError: if it is not a number.
      ValueError: if it is NaN, infinite or out of the range.
    """
    given = _number(name, value)
    try:
        number = float(given)
    except OverflowError:  # an integer beyond all floats
        number = math.inf
    low = number > lowest if above else number >= lowest
    if not (math.isfinite(number) and low and number <= highest):
        bound = f"{'above' if above else 'at least'} {lowest:g}"
        if math.isfinite(highest):
            bound += f" and at most {highest:g}"
        raise ValueError(f"`{name}` must be finite, {bound}, received {value}")
    return number


def finite(**values: float) -> None:
    """Raises an error unless all of the named constants are finite numbers."""
    for name, value in values.items():
        _number(name, value)
        if not abs(value) < math.inf:
            raise ValueError(f"`{name}` must be finite, received {value}")


def positive(**values: float) -> None:
    """Raises an error unless all of the named constants are finite and above 0."""
    for name, value in values.items():
        _number(name, value)
        if not value > 0:
            raise ValueError(f"`{name}` must be positive, received {value}")
    finite(**values)


def not_negative(**values: float) -> None:
    """Raises an error unless all of the named constants are finite and at least 0."""
    for name, value in values.items():
        _number(name, value)
        if not value >= 0:
            raise ValueError(f"`{name}` must be at least 0, received {value}")
    finite(**values)


def fraction(**values: float) -> None:
    """Raises an error unless all of the named constants are numbers from 0 to 1."""
    for name, value in values.items():
        _number(name, value)
        if not 0 <= value <= 1:
            raise ValueError(f"`{name}` must be in [0, 1], received {value}")


def _number(name: str, value: object) -> numbers.Real:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must be a number, received {value!r}")
    return value
