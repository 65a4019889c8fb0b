"""Numbers that every vertex of a model conserves: electric charge, and those of fermions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from madnis_py.physics.model.model import Model

_BASE = 256
"""Above twice what any conserved number of a process can be."""


class ConservedNumbers:
    """Electric charge, and the number of the fermions that vertices turn into each other.

    These are up and down quarks of a generation, or all quarks with a CKM matrix, and charged
    leptons and neutrinos of each generation. Processes that violate one have no diagrams.

    Args:
        model: whose vertices.

    Attributes:
        model: as given.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        families = _families(model)
        kinds = sorted(set(families.values()))
        self._numbers = {pdg: round(3 * model.charge(pdg)) for pdg in model.pdg_of.values()}
        for pdg in self._numbers:
            if abs(pdg) in families:
                number = _BASE ** (1 + kinds.index(families[abs(pdg)]))
                self._numbers[pdg] += number if pdg > 0 else -number

    def total(self, particles: Iterable[int]) -> int:
        """One number for all of a state, equal for states that may become each other."""
        return sum(self._numbers[pdg] for pdg in particles)

    def count(self, incoming: Sequence[Sequence[int]], outgoing: Sequence[Sequence[int]]) -> int:
        """How many choices of alternatives conserve all numbers.

        Args:
            incoming: alternatives of the incoming particles.
            outgoing: alternatives of the outgoing ones.
        """
        before, after = self._totals(incoming), self._totals(outgoing)
        return sum(times * after.get(total, 0) for total, times in before.items())

    def _totals(self, legs: Sequence[Sequence[int]]) -> dict[int, int]:
        """Total -> number of choices."""
        totals = {0: 1}
        for alternatives in legs:
            further: dict[int, int] = {}
            for total, times in totals.items():
                for pdg in alternatives:
                    key = total + self._numbers[pdg]
                    further[key] = further.get(key, 0) + times
            totals = further
        return totals


def _families(model: Model) -> dict[int, int]:
    """Fermion -> the lowest code of those that vertices turn into each other."""
    families = {row.pdg: row.pdg for row in model.particles if row.spin == 2}
    for vertex in model.vertices:
        meeting = {abs(model.pdg_of[name]) for name in vertex.particles} & families.keys()
        joined = {families[pdg] for pdg in meeting}
        families |= {pdg: min(joined) for pdg, family in families.items() if family in joined}
    return families
