"""Values of MadGraph 7's run_card.toml by type, and the entries that nothing has translated yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from madnis_py.errors import CardError
from madnis_py.physics.model.text_lines import shortened
from madnis_py.plugins.madgraph_cards.toml_run_cards.toml_entries import NEUTRAL, NEUTRAL_TABLES


class TomlValues:
    """Entries of a run_card.toml that have not been translated yet, "table.key" -> value.

    Args:
        content: of the file.
        source: file, for messages.
    """

    def __init__(self, content: Mapping[str, Any], source: str) -> None:
        self._left = dict(_flat(content))
        self.source = source

    @property
    def names(self) -> list[str]:
        """Names of the entries that have not been taken."""
        return list(self._left)

    def copy(self) -> TomlValues:
        """The entries that are left, to be taken again."""
        return TomlValues(self._left, self.source)

    def take(self, name: str, default: Any = None) -> Any:
        """A value, which is then no longer left."""
        return self._left.pop(name, default)

    def number(self, name: str, default: float) -> float:
        """A finite number."""
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
            self.refuse(name, "a number", value)
        return float(value)

    def whole(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.number(name, default)
        return int(value) if value.is_integer() else self.refuse(name, "a whole number", value)

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self.take(name, default)
        return value if isinstance(value, bool) else self.refuse(name, "true or false", value)

    def text(self, name: str, default: str) -> str:
        """A text."""
        value = self.take(name, default)
        return value if isinstance(value, str) else self.refuse(name, "text", value)

    def refuse(self, name: str, expected: str, got: object) -> NoReturn:
        """Raise an error at an entry."""
        raise CardError(
            f"{self.source}: {name}: expected {expected}; got {shortened(str(got)[:100])}"
        )

    def in_table(self, table: str) -> dict[str, Any]:
        """What is left of a table, by the rest of the name behind the table."""
        return {
            name[len(table) + 1 :]: value
            for name, value in self._left.items()
            if name.startswith(f"{table}.")
        }

    @property
    def left(self) -> dict[str, Any]:
        """What has not been taken and is not neutral."""
        neutral = tuple(f"{table}." for table in NEUTRAL_TABLES)
        return {
            name: value
            for name, value in self._left.items()
            if name not in NEUTRAL and not name.startswith(neutral)
        }


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Entries of all tables, with keys "table.key"."""
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(value, f"{before}{key}.")
        else:
            found.append((before + key, value))
    return found
