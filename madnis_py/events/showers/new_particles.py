"""Quantum numbers of new particles in a spectrum, for a shower that knows their PDG codes already.

Pythia takes blocks QNUMBERS, arXiv:0712.3311, for codes that it does not know, and keeps its own
numbers for others: the code of its leptoquark may be that of a sextet in another model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_BLOCK = re.compile(
    r"^\s*BLOCK\s+QNUMBERS\s+(\d+)[ \t]*(?:#[ \t]*(\S+)(?:[ \t]+(\S+))?)?.*\n"
    r"((?:\s+\d+\s+\S+.*\n?)+)",
    re.MULTILINE | re.IGNORECASE,
)
_ENTRY = re.compile(r"^\s+(\d+)\s+(\S+)", re.MULTILINE)

_CHARGE, _SPIN, _COLOUR, _ANTI = 1, 2, 3, 4
"""Entries of a block."""

_COLOUR_TYPES = {1: 0, 3: 1, -3: -1, 8: 2, 6: 3, -6: -3}
"""Representation -> what Pythia calls it."""


@dataclass(frozen=True)
class QuantumNumbers:
    """A block QNUMBERS.

    Attributes:
        pdg: PDG code.
        name: of the particle.
        antiname: of the antiparticle, "" if there is none.
        charge: 3 times the electric charge.
        spin: 2 s + 1.
        colour: representation.
    """

    pdg: int
    name: str
    antiname: str
    charge: int
    spin: int
    colour: int

    def give(self, data: Any) -> None:
        """Set the numbers of a particle in Pythia's `ParticleData`, if it is there."""
        if not data.isParticle(self.pdg):
            return
        row = data.findParticle(self.pdg)
        row.setNames(self.name, self.antiname or "void")
        row.setSpinType(self.spin)
        row.setChargeType(self.charge)
        row.setColType(_COLOUR_TYPES.get(self.colour, 0))


def quantum_numbers(slha: str) -> Iterator[QuantumNumbers]:
    """The blocks QNUMBERS of a spectrum."""
    for pdg, name, antiname, lines in _BLOCK.findall(slha):
        entry = {int(code): round(float(value)) for code, value in _ENTRY.findall(lines)}
        named = name or pdg
        anti = (antiname or f"{named}~") if entry.get(_ANTI, 0) else ""
        yield QuantumNumbers(
            int(pdg),
            named,
            anti,
            entry.get(_CHARGE, 0),
            entry.get(_SPIN, 1),
            entry.get(_COLOUR, 1),
        )
