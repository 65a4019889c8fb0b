"""Numbers of points, steps and events as people write them: 10000 or 1e4."""

from __future__ import annotations

import math
from numbers import Integral, Real

from madnis_py.errors import InputError


def whole_number(name: str, value: object, least: int = 1) -> int:
    """A whole number of something, however it is written.

    Args:
        name: what it is, for the message.
        value: an integer, or a float without a fraction such as 1e4, of Python or numpy.
        least: smallest number that makes sense.

    Raises:
        InputError: it is none.
    """
    whole = isinstance(value, Integral) or (isinstance(value, Real) and float(value).is_integer())
    if not whole or isinstance(value, bool):
        raise InputError(f"{name}: expected a whole number, such as 10000 or 1e4; got {value!r}")
    number = int(value)  # type: ignore[call-overload]
    if number < least:
        raise InputError(f"{name}: expected at least {least}; got {number}")
    return number  # type: ignore[no-any-return]


def number_of_events(given: str | int) -> int:
    """The whole number that the command line has, or that is the default there.

    Raises:
        ValueError: it is none.
    """
    text = str(given)
    if text.lstrip("+-").isdigit():
        return int(text)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not number.is_integer():
        raise _refusal(f"expected a whole number, such as 10000 or 1e4; got {text}")
    return int(number)


def number_of_points(given: str | int) -> int:
    """The same, at least 1.

    Raises:
        ValueError: it is none.
    """
    if (number := number_of_events(given)) < 1:
        raise _refusal(f"expected at least 1; got {number}")
    return number


def _refusal(sentence: str) -> ValueError:
    """An error that the command line shows without a prefix."""
    from pydantic_core import PydanticCustomError

    return PydanticCustomError("count", "{sentence}", {"sentence": sentence})
