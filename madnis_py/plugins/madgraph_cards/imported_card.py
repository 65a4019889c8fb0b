"""Card that is made from one of MadGraph's, entry by entry, with what could not be translated."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from madnis_py.card.card import Card


@dataclass(frozen=True)
class Untranslated:
    """Entry of MadGraph's card that changes the results and has no counterpart here.

    Attributes:
        table: of our card that the entry would belong to.
        entry: as MadGraph's card has it, "ickkw = 1".
        meaning: of the entry in MadGraph.
        way_out: advice to the user.
    """

    table: str
    entry: str
    meaning: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.meaning}; {self.way_out}"


@dataclass
class ImportedCard:
    """The tables of a card while entries are translated.

    Attributes:
        tables: of the card.
        options: settings of the command line: option -> value.
        untranslated: entries that have no counterpart and are not neutral.
        taken: entries and commands that were translated, as MadGraph's cards have them.
        neutral: those that change no results.
        impossible: entries that no event of the process passes.
        pdf: parton densities that the user asks for in place of those of the cards.
    """

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    untranslated: list[Untranslated] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    neutral: list[str] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)
    pdf: str | None = None

    def put(self, table: str, key: str, value: object) -> None:
        """Set a key of the card."""
        self.tables.setdefault(table, {})[key] = value

    def cut(self, names: str, key: str, value: Any) -> None:
        """Add a cut; of two limits of the same observable the stricter one stays."""
        table = self.tables.setdefault("cuts", {}).setdefault(names, {})
        if key.endswith(("_min", "_max")):
            stricter = min if key.endswith("_max") else max
            value = stricter(value, table.get(key, value))
        table[key] = value

    def refuse(self, table: str, entry: str, meaning: str, way_out: str) -> None:
        """Note an entry that cannot be translated, once."""
        one = Untranslated(table, entry, meaning, way_out)
        if one not in self.untranslated:
            self.untranslated.append(one)

    def to_toml(self, card: Card) -> str:
        """The card as text; comments above its tables say what of MadGraph's card they lack."""
        lines = card.to_toml().splitlines()
        for one in reversed(self.untranslated):
            header = re.compile(rf"\[{one.table}[].]")
            place = next((number for number, line in enumerate(lines) if header.match(line)), 0)
            comment = "".join(  # a comment of TOML holds no control characters
                letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(one)
            )
            lines.insert(place, f"# not translated: {comment}")
        return "\n".join(lines) + "\n"
