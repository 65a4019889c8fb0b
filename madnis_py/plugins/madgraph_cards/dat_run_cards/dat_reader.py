"""Reader of MadGraph's run_card.dat: lines as MadGraph reads them, values of entries by type."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from typing import NoReturn

from madnis_py.errors import CardError
from madnis_py.physics.model.text_lines import shortened
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import DEFAULTS, NEUTRAL

_FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("t", "true", ".true.", "1"), True),
    **dict.fromkeys(("f", "false", ".false.", "0"), False),
}
"""Words for true and false, in lower case."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?")
"""Numbers as Python or Fortran writes them."""


class RunCard:
    """A run_card.dat: its entries, and MadGraph's defaults for those that it lacks.

    Args:
        entries: name in lower case -> text of its value.
        source: file, for messages.
    """

    def __init__(self, entries: Mapping[str, str], source: str) -> None:
        self._entries = dict(entries)
        self.source = source

    @property
    def unknown(self) -> dict[str, str]:
        """Entries that no run card for leading order has."""
        return {
            name: text
            for name, text in self._entries.items()
            if name not in DEFAULTS and name not in NEUTRAL
        }

    @property
    def names(self) -> list[str]:
        """Names of the entries that the card itself gives."""
        return list(self._entries)

    def updated(self, entries: Mapping[str, str]) -> RunCard:
        """This card with other values for some entries."""
        return RunCard(self._entries | dict(entries), self.source)

    def has(self, name: str) -> bool:
        """Whether the card itself gives an entry."""
        return name in self._entries

    def shown(self, name: str) -> str:
        """An entry for a message, "ickkw = 1"; one that the card lacks is called its default."""
        if name in self._entries:
            return f"{name} = {shortened(self._entries[name])}"
        return f"{name} = {DEFAULTS[name]} (MadGraph's default; the card does not set it)"

    def text(self, name: str) -> str:
        """A value as the card has it, without quotes."""
        return self._entries.get(name, str(DEFAULTS[name])).strip("'\"")

    def number(self, name: str) -> float:
        """A finite number.

        Raises:
            CardError: the value is no finite number.
        """
        text = self.text(name)
        value = _number(text)
        return value if math.isfinite(value) else self._refuse(name, "a number")

    def whole(self, name: str, least: int = -(10**15), most: int = 10**15) -> int:
        """A whole number.

        Raises:
            CardError: the value is no whole number, or not in this range.
        """
        value = self.number(name)
        if not value.is_integer():
            self._refuse(name, "a whole number")
        if not least <= value <= most:
            self._refuse(name, f"a whole number from {least} to {most}")
        return int(value)

    def flag(self, name: str) -> bool:
        """True or false.

        Raises:
            CardError: the value is neither.
        """
        value = _FLAGS.get(self.text(name).lower())
        return value if value is not None else self._refuse(name, "true or false")

    def items(self, name: str) -> list[str]:
        """A list: "['a', 'b']", "a, b" or "a".

        Raises:
            CardError: the value is no list.
        """
        text = self.text(name).strip()
        if not text.startswith(("[", "(")):
            return [item.strip() for item in text.split(",") if item.strip()]
        value = self._literal(name, "a list")
        if not isinstance(value, list | tuple) or not all(
            isinstance(item, str | int | float) for item in value
        ):
            self._refuse(name, "a list")
        return [str(item) for item in value]

    def codes(self, name: str) -> frozenset[int]:
        """A list of PDG codes, "[21, 1, 2]".

        Raises:
            CardError: the value is no such list.
        """
        items = self.items(name)
        if not all(item.isdecimal() for item in items):
            self._refuse(name, "a list of PDG codes")
        return frozenset(map(int, items))

    def of_particles(self, name: str) -> dict[int, float]:
        """Numbers by PDG code, "{6: 100, 25: 50}".

        Raises:
            CardError: the value is no such table.
        """
        found = self._literal(name, "a table {PDG code: number}")
        if isinstance(found, dict):  # MadGraph takes codes in quotes, too
            found = {_code(pdg): value for pdg, value in found.items()}
        if not isinstance(found, dict) or not all(
            type(pdg) is int
            and 0 < pdg < 10**8
            and isinstance(value, int | float)
            and not isinstance(value, bool)
            and abs(value) < 1e300
            for pdg, value in found.items()
        ):
            self._refuse(name, "a table {PDG code: number}")
        return {int(pdg): float(value) for pdg, value in found.items()}

    def of_names(self, name: str) -> dict[str, float]:
        """Numbers by name, "{'a': 100.0}".

        Raises:
            CardError: the value is no such table.
        """
        found = self._literal(name, "a table {'name': number}")
        if not isinstance(found, dict) or not all(
            isinstance(key, str)
            and isinstance(value, int | float)
            and not isinstance(value, bool)
            and abs(value) < 1e300
            for key, value in found.items()
        ):
            self._refuse(name, "a table {'name': number}")
        return {key: float(value) for key, value in found.items()}

    def of_opposite_pairs(self, name: str, pdg: int) -> bool:
        """Whether an entry is only about pairs of a particle and its antiparticle.

        From a table by PDG code, "{'default': False, 6: True}".

        Raises:
            CardError: the value is no such table.
        """
        found = self._literal(name, "a table {PDG code: True or False}")
        if not isinstance(found, dict) or not all(
            isinstance(value, bool) for value in found.values()
        ):
            self._refuse(name, "a table {PDG code: True or False}")
        return bool(found.get(pdg, found.get(str(pdg), found.get("default", False))))

    def _literal(self, name: str, expected: str) -> object:
        try:
            return ast.literal_eval(self.text(name).strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            self._refuse(name, expected)

    def _refuse(self, name: str, expected: str) -> NoReturn:
        raise CardError(
            f"{self.source}: {name}: expected {expected}; got {shortened(self.text(name))}"
        )


def _code(key: object) -> object:
    """A PDG code that may be in quotes."""
    return int(key) if isinstance(key, str) and key.isdecimal() else key


def _number(text: str) -> float:
    """A number, also "13k", "2M" or "13000/2"; NaN for anything else."""
    value, operation = 1.0, "*"
    for part in re.split(r"([*/])", text.replace(" ", "")):
        if part in ("*", "/"):
            operation = part
            continue
        digits, times = part.rstrip("kM"), _SUFFIXES.get(part[-1:], 1.0)
        if not _NUMBER.fullmatch(digits) or len(part) - len(digits) > 1:
            return math.nan
        number = float(re.sub("[dD]", "e", digits)) * times
        if operation == "/" and number == 0:
            return math.nan
        value = value * number if operation == "*" else value / number
    return value


_SUFFIXES: Mapping[str, float] = {"k": 1e3, "M": 1e6}


def read_run_card(lines: list[str], source: str) -> RunCard:
    """Read the lines `value = name ! comment` of a run_card.dat.

    As in MadGraph "#" and "!" begin comments, lines without "=" are left, and of two entries with
    one name the last one counts.

    Raises:
        CardError: there is no entry, or a line is meant to be an entry and is none.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        content = re.split("[#!]", line, maxsplit=1)[0].strip()
        value, equals, name = (part.strip() for part in content.rpartition("="))
        words = content.lower().split()
        is_prose = len(words) != 2 or words[1] not in DEFAULTS
        if not equals and (is_prose or not (_NUMBER.fullmatch(words[0]) or words[0] in _FLAGS)):
            continue
        if not re.fullmatch(r"[A-Za-z_]\w{0,63}", name):
            raise CardError(
                f"{source}: line {number}: expected value = name; got {shortened(content)!r}"
            )
        found.pop(name.lower(), None)
        found[name.lower()] = value
    if not found:
        raise CardError(f"{source}: expected lines value = name of a run card; got none")
    return RunCard(found, source)
