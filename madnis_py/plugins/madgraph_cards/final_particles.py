"""Final particles of a process as MadGraph's cuts see them, decay products told apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from math import inf

from madnis_py.physics.definition.conserved_numbers import ConservedNumbers
from madnis_py.physics.definition.definition import Definition, Leg
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.particle_names import codes_of
from madnis_py.physics.process.process import Process
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard


@dataclass(frozen=True)
class FinalLeg:
    """A particle of the final state.

    Attributes:
        pdgs: the PDG codes that it may have.
        decayed: whether it comes from a decay of a chain.
    """

    pdgs: frozenset[int]
    decayed: bool


Place = tuple[int, int]
"""A position in the final state and a PDG code that the particle there may have."""


class FinalParticles:
    """The final state of a process, and the names of our cuts for parts of it.

    Args:
        definition: of the process.
        model: that the process was read with.
    """

    def __init__(self, definition: Definition, model: Model) -> None:
        self._core, self._model = definition.core, model

    @property
    def has_decays(self) -> bool:
        """Whether some of them come from decays of a chain."""
        return any(leg.decayed for leg in self.legs)

    @cached_property
    def legs(self) -> tuple[FinalLeg, ...]:
        """The final particles, decay products in the place of their parent."""
        return tuple(leg for outgoing in self._core.outgoing for leg in self._legs(outgoing))

    def _legs(self, leg: Leg) -> list[FinalLeg]:
        if leg.decay is None:
            return [FinalLeg(frozenset(leg.alternatives), False)]
        decays = leg.decay.reactions(ConservedNumbers(self._model))
        columns = zip(*(decay.final for decay in decays), strict=True)
        return [FinalLeg(frozenset(column), True) for column in columns]

    @cached_property
    def states(self) -> frozenset[tuple[int, ...]]:
        """PDG codes of the final particles, in all choices that the vertices may lead to."""
        reactions = self._core.reactions(ConservedNumbers(self._model))
        return frozenset(reaction.final for reaction in reactions)

    def places(self, pdgs: Collection[int], decayed: bool = True) -> frozenset[Place]:
        """Places where particles of some kinds may be.

        Args:
            pdgs: their PDG codes.
            decayed: whether decay products count.
        """
        return frozenset(
            (position, pdg)
            for position, leg in enumerate(self.legs)
            for pdg in leg.pdgs
            if pdg in pdgs and (decayed or not leg.decayed)
        )

    def count(self, pdgs: Collection[int]) -> tuple[int, int]:
        """Least and largest number of final particles of some kinds."""
        least = sum(leg.pdgs <= frozenset(pdgs) for leg in self.legs)
        return least, len({position for position, _ in self.places(pdgs)})

    def names(
        self, label: str, places: frozenset[Place], decayed: bool = True
    ) -> tuple[str, ...] | None:
        """The names of our cards that together mean what may be at some places, and nothing else.

        Args:
            label: the class that is tried first.
            places: of the particles.
            decayed: whether names mean decay products, too.

        Returns:
            the class, or names of particles, and an empty tuple where there are no places; None
            where no names mean just these particles.
        """
        if not places:
            return ()
        if self.places(codes_of(label, self._model), decayed) == places:
            return (label,)
        pdgs = {pdg for _, pdg in places}
        if self.places(pdgs, decayed) != places:
            return None
        return tuple(self.name(pdg) for pdg in sorted(pdgs, key=_by_kind))

    def one_name(self, label: str, places: frozenset[Place], decayed: bool = True) -> str | None:
        """As `names`, as a single name: a class, or kinds of particles with "|" between them."""
        found = self.names(label, places, decayed)
        return None if found is None else "|".join(found)

    def largest_pt_sum(self, widths: float) -> float:
        """Upper limit of the sum of all transverse momenta in GeV, infinite if there is none.

        Alone, a particle has no transverse momentum, and in its rest frame those of its decay
        products have sum_i pT_i <= sum_i E_i = m.

        Args:
            widths: from its mass at most to where it decays, 0 for anywhere.
        """
        leg, *others = self._core.outgoing
        ranges = [(self.mass(pdg), widths * self._model.width(pdg)) for pdg in leg.alternatives]
        if others or not all(reach > 0 for _, reach in ranges):
            return inf
        return max(mass + reach for mass, reach in ranges)

    def name(self, pdg: int) -> str:
        """The name of a particle."""
        return self._model.particle_name(pdg)

    def mass(self, pdg: int) -> float:
        """Mass of a particle in GeV, infinite where the model does not have it."""
        return self._model.mass(pdg) if self._model.has(pdg) else math.inf

    def massive(self, places: Iterable[Place]) -> bool:
        """Whether one of the particles that may be at some places has a mass."""
        return any(self.mass(pdg) > 0 for _, pdg in places)


def depends_on_alpha_s(process: Process) -> bool:
    """Whether a diagram of a process has a strong coupling."""
    return any(
        diagram.powers[0] > 0 for group in process.groups for diagram in process.diagrams(group)
    )


def put_resonance_widths(
    finals: Iterable[FinalParticles],
    widths: float,
    card: ImportedCard,
    shown: Callable[[], str],
) -> None:
    """Translate `bwcutoff`: how near its mass an unstable particle is on its mass shell.

    Args:
        finals: the final state of each process.
        widths: from the mass.
        card: takes the keys.
        shown: the entry for a message.
    """
    if widths > 0:
        card.put("process", "bwcutoff", widths)
        return
    card.put("events", "resonance_widths", 0.0)
    if any(final.has_decays for final in finals):
        meaning = "no decaying particle is on its mass shell"
        card.refuse("process", shown(), meaning, "give a number of widths > 0")


def put_decay_products(finals: Iterable[FinalParticles], cut: bool, card: ImportedCard) -> None:
    """Translate `cut_decays`: whether cuts on single particles and pairs hold for decay products.

    Args:
        finals: the final state of each process.
        cut: the value.
        card: takes the key, where there are decays.
    """
    if any(final.has_decays for final in finals):
        card.put("cuts", "decay_products", cut)


def is_alone(places: Collection[Place]) -> bool:
    """Whether all places are those of a single particle."""
    return len({position for position, _ in places}) == 1


def _by_kind(pdg: int) -> tuple[int, bool]:
    """Particles before their antiparticles."""
    return abs(pdg), pdg < 0
