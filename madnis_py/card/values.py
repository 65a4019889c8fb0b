"""Values of a process card: types that say what they expected and what came."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from madnis_py.card.choices import CLUSTERING, DYNAMICAL_SCALES
from madnis_py.card.sentences import shown

_TOO_MANY = 10**15
"""Whole number that no setting of a card reaches; larger ones are typing errors."""


def as_list(value: Any) -> list[Any]:
    """A list stays one, a single value becomes a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) <= sys.float_info.max
    )


def _checked(expected: str, accept: Callable[[Any], bool]) -> BeforeValidator:
    """A validator that says what it expected and what came."""

    def check(value: Any) -> Any:
        if not accept(value):
            raise ValueError(f"expected {expected}; got {shown(value)}")
        return value

    return BeforeValidator(check)


def _number(expected: str, accept: Callable[[float], bool]) -> BeforeValidator:
    return _checked(expected, lambda value: _is_number(value) and accept(value))


Real = Annotated[float, _number("a number", lambda value: True)]
ParameterValue = Annotated[
    float | Literal["auto"],
    _checked('a number, or "auto" for a width', lambda value: value == "auto" or _is_number(value)),
]
Positive = Annotated[float, _number("a number > 0", lambda value: value > 0)]
Energy = Annotated[float, _number("GeV >= 0", lambda value: value >= 0)]
NonNegative = Annotated[float, _number("a number >= 0", lambda value: value >= 0)]
Count = Annotated[
    int, _checked("a whole number > 0", lambda value: type(value) is int and 0 < value < _TOO_MANY)
]
QuarkFlavour = Annotated[
    int,
    _checked(
        "the PDG code of a quark, 1 to 6", lambda value: type(value) is int and 1 <= value <= 6
    ),
]
Bins = Annotated[
    int,
    _checked(
        "a whole number from 1 to 100000", lambda value: type(value) is int and 0 < value <= 100_000
    ),
]
Factor = Annotated[float, _number("a number >= 1", lambda value: value >= 1)]
Share = Annotated[float, _number("a share in [0, 1)", lambda value: 0 <= value < 1)]
Flag = Annotated[bool, _checked("true or false", lambda value: isinstance(value, bool))]
Text = Annotated[
    str, _checked("text", lambda value: isinstance(value, str) and value.strip() != "")
]
Texts = Annotated[
    str | tuple[str, ...],
    _checked(
        "text or a list of texts",
        lambda value: (
            len(as_list(value)) > 0
            and all(isinstance(one, str) and one.strip() != "" for one in as_list(value))
        ),
    ),
    AfterValidator(
        lambda value: value[0] if isinstance(value, tuple) and len(value) == 1 else value
    ),
]
"""One text, or several; a list of one is the same as the text."""
Setting = Annotated[
    bool | int | float | str,
    _checked(
        "a number, text or true or false",
        lambda value: (
            isinstance(value, bool | float | str)
            or (isinstance(value, int) and abs(value) < _TOO_MANY)
        ),
    ),
]
BeamEnergies = Annotated[
    tuple[Energy, Energy],
    _checked(
        "two energies [beam 1, beam 2]",
        lambda value: isinstance(value, list | tuple) and len(value) == 2,
    ),
]
Masses = Annotated[
    tuple[Energy, ...],
    _checked(
        "a list of masses, one of each leg",
        lambda value: isinstance(value, list | tuple) and len(value) > 0,
    ),
]
Legs = Annotated[
    tuple[int, ...],
    _checked(
        "different legs, counted from 1",
        lambda value: (
            isinstance(value, list | tuple)
            and len(value) == len(set(map(str, value))) > 0
            and all(type(leg) is int and 0 < leg < _TOO_MANY for leg in value)
        ),
    ),
]
Polarizations = Annotated[
    tuple[float, float],
    _checked(
        "two numbers from -1 to 1, [beam 1, beam 2]",
        lambda value: (
            isinstance(value, list | tuple)
            and len(value) == 2
            and all(_is_number(degree) and -1 <= degree <= 1 for degree in value)
        ),
    ),
]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


BeamTexts = Annotated[
    str | tuple[str, str],
    _checked(
        "text, or two texts [beam 1, beam 2]",
        lambda value: (
            len(value) == 2 and all(map(_is_text, value))
            if isinstance(value, list | tuple)
            else _is_text(value)
        ),
    ),
]


def _is_scale(value: Any) -> bool:
    """Whether it is a positive number, or a dynamical scale, perhaps divided by one."""
    if not isinstance(value, str):
        return _is_number(value) and value > 0
    if value == CLUSTERING:
        return True
    name, slash, divisor = value.partition("/")
    is_number = re.fullmatch(r"\d{1,9}(\.\d{1,9})?", divisor) is not None
    return name in DYNAMICAL_SCALES and (not slash or (is_number and float(divisor) > 0))


_A_SCALE = f"GeV > 0 or one of {', '.join((*DYNAMICAL_SCALES, CLUSTERING))}, or a part such as ht/2"
Scale = Annotated[
    float | str,
    _checked(_A_SCALE, _is_scale),
]
BeamScales = Annotated[
    float | str | tuple[float | str, float | str],
    _checked(
        f"{_A_SCALE}, or two of them [beam 1, beam 2]",
        lambda value: (
            len(value) == 2 and all(map(_is_scale, value))
            if isinstance(value, list | tuple)
            else _is_scale(value)
        ),
    ),
]


def _are_positive(values: Any) -> bool:
    return all(_is_number(value) and value > 0 for value in values)


ScaleFactors = Annotated[
    tuple[float, ...] | tuple[tuple[float, float], ...],
    _checked(
        "a list of numbers > 0, or of pairs [mu_R, mu_F] of them",
        lambda value: (
            isinstance(value, list | tuple)
            and (
                _are_positive(value)
                or all(
                    isinstance(one, list | tuple) and len(one) == 2 and _are_positive(one)
                    for one in value
                )
            )
        ),
    ),
]
"""Factors of both scales, or pairs of them."""


Range = Annotated[
    tuple[float, float],
    _checked(
        "two numbers [low, high], low < high",
        lambda value: (
            isinstance(value, list | tuple)
            and len(value) == 2
            and all(map(_is_number, value))
            and value[0] < value[1]
        ),
    ),
]


def _is_file(value: object) -> bool:
    """Whether a file can have such a name."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        return False
    return all(len(part.encode()) < 256 for part in Path(value).parts)


def _one_or_each(expected: str, accept: Callable[[Any], bool]) -> BeforeValidator:
    def all_accepted(value: Any) -> bool:
        return (
            all(map(accept, value)) and len(value) > 0
            if isinstance(value, list | tuple)
            else accept(value)
        )

    return _checked(f"{expected}, or a list with one for each matrix element", all_accepted)


Files = Annotated[str | tuple[str, ...], _one_or_each("a file", _is_file)]
Indices = Annotated[
    int | tuple[int, ...],
    _one_or_each("a whole number >= 0", lambda value: type(value) is int and value >= 0),
]


def _can_be_scanned(value: object) -> bool:
    """Whether one value of a scan can be: a number, text, or two for the beams."""
    pair = value if isinstance(value, list | tuple) and len(value) == 2 else [value]
    return all(_is_number(one) or isinstance(one, str | bool) for one in pair)


ScannedValue = float | str | bool | tuple[float | str, float | str]
"""One value of a scan: of a key, or of both beams."""

ScannedValues = Annotated[
    tuple[ScannedValue, ...],
    _checked(
        "a list of values",
        lambda value: (
            isinstance(value, list | tuple) and len(value) > 0 and all(map(_can_be_scanned, value))
        ),
    ),
]
