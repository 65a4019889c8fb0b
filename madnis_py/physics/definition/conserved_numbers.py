"""Numbers that every vertex of a model conserves: electric charge, and those of fermions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from madnis_py.physics.model.model import Model

_BASE = 256
"""Above twice what any conserved number of a process can be."""


class ConservedNumbers:
    """Electric charge, and the number of the fermions that vertices turn into each other.

    These are up and down quarks of a generation, or all quarks with a CKM matrix, and charged
    leptons and neutrinos of each generation. Processes that violate one have no diagrams. What a
    model violates, as Majorana fermions do, is none.

    Args:
        model: whose vertices.

    Attributes:
        model: as given.
        charges: PDG code -> electric charge in thirds of the positron's; zeros if it is not
            conserved, or no multiple of them.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        families = _families(model)
        kinds = sorted(set(families.values()))
        self._numbers = dict.fromkeys(model.pdg_of.values(), 0)
        charges = {pdg: round(3 * model.charge(pdg)) for pdg in self._numbers}
        thirds = all(abs(3 * model.charge(pdg) - charges[pdg]) < 1e-6 for pdg in charges)
        if thirds and _is_conserved(charges, model):
            self._numbers |= charges
        self.charges = dict(self._numbers)
        for place, kind in enumerate(kinds):
            number = {
                pdg: (1 if pdg > 0 else -1) if families.get(abs(pdg)) == kind else 0
                for pdg in self._numbers
            }
            if _is_conserved(number, model):
                for pdg, value in number.items():
                    self._numbers[pdg] += value * _BASE ** (1 + place)

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


def _is_conserved(numbers: Mapping[int, int], model: Model) -> bool:
    """Whether a number of particles is conserved by every vertex."""
    return all(
        sum(numbers[model.pdg_of[name]] for name in vertex.particles) == 0
        for vertex in model.vertices
    )


def _families(model: Model) -> dict[int, int]:
    """Fermion -> the lowest code of those that vertices turn into each other."""
    families = {row.pdg: row.pdg for row in model.particles if row.spin == 2}
    for vertex in model.vertices:
        meeting = {abs(model.pdg_of[name]) for name in vertex.particles} & families.keys()
        joined = {families[pdg] for pdg in meeting}
        families |= {pdg: min(joined) for pdg, family in families.items() if family in joined}
    return families
