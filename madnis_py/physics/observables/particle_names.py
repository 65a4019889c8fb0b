"""Names of particles on a card: classes, particles or PDG numbers, perhaps with a rank.

Several kinds of particles are one name with "|" between them, "t|t~" or "lepton|missing[1]".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from madnis_py.card.sentences import closest
from madnis_py.errors import InputError
from madnis_py.physics.model.model import Model

CLASSES = ("jet", "bottom", "lepton", "photon", "missing")
_ELSEWHERE = {"bjet": "bottom", "bjets": "bottom", "neutrino": "missing", "met": "missing"}
"""Names of classes in other programs."""
"""Names that stand for all particles of a class, `Particle.group`."""

_OR = "|"
"""What stands between the names of kinds of particles that are one name together."""

_RANKED = re.compile(r"(.+)\[([1-9]\d{0,3})\]")


def split_rank(text: str) -> tuple[str, int | None]:
    """Name and rank: "jet[2]" -> ("jet", 2), "e+" -> ("e+", None)."""
    ranked = _RANKED.fullmatch(text)
    return (ranked[1].strip(), int(ranked[2])) if ranked else (text, None)


def split_kinds(name: str) -> tuple[str, ...]:
    """The kinds of particles in a name without rank: "t|t~" -> ("t", "t~")."""
    return tuple(kind.strip() for kind in name.split(_OR))


def codes_of(name: str, model: Model) -> frozenset[int]:
    """PDG codes of a class or particle, none if unknown; massless bottom quarks are jets too."""
    if name not in CLASSES:
        return frozenset({model.pdg_of[name]} if name in model.pdg_of else ())
    members = [row.pdg for row in model.particles if row.group == name]
    if name == "jet":
        members += [
            row.pdg for row in model.particles if row.group == "bottom" and model.mass(row.pdg) == 0
        ]
    return frozenset(sign * pdg for pdg in members for sign in (1, -1))


def unknown_name(name: str, model: Model) -> str:
    """Sentence for a name without particles, with the one of that meaning, or the nearest one."""
    meant = _ELSEWHERE.get(name.casefold().replace("-", ""), name)
    return f'unknown particle or class "{name}"{closest(meant, [*model.pdg_of, *CLASSES])}'


@dataclass(frozen=True)
class ParticleName:
    """Particles that a name on a card means.

    Attributes:
        codes: PDG codes.
        rank: among these by transverse momentum, 1 for the largest; None for all of them.
    """

    codes: frozenset[int]
    rank: int | None = None

    @classmethod
    def parse(cls, text: str, model: Model) -> ParticleName:
        """Read classes, particles or PDG numbers with "|" between them, perhaps with a rank.

        Raises:
            InputError: nothing is called so.
        """
        name, rank = split_rank(text)
        return cls(frozenset().union(*(_read(kind, model) for kind in split_kinds(name))), rank)

    def count(self, final: Sequence[int]) -> int:
        """How many particles of a final state, given by its PDG codes, it means."""
        members = sum(pdg in self.codes for pdg in final)
        return members if self.rank is None else int(members >= self.rank)


def _read(kind: str, model: Model) -> frozenset[int]:
    """PDG codes of a class, a particle or a PDG number."""
    is_number = re.fullmatch(r"-?\d{1,18}", kind)
    codes = frozenset({int(kind)}) if is_number else codes_of(kind, model)
    if not codes:
        raise InputError(unknown_name(kind, model))
    return codes
