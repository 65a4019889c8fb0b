"""Final particles of a process as MadGraph's cuts see them, and the decays that they come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from madnis_py.physics.definition.definition import Definition, Leg, Step
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


@dataclass(frozen=True)
class Decay:
    """A particle of a decay chain that decays to definite particles.

    Attributes:
        parent: PDG code.
        products: PDG codes of the final particles that it ends in, sorted.
        positions: of the products in the final state.
    """

    parent: int
    products: tuple[int, ...]
    positions: range


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

    @cached_property
    def legs(self) -> tuple[FinalLeg, ...]:
        """The final particles, decay products in the place of their parent."""
        return tuple(leg for outgoing in self._core.outgoing for leg in self._legs(outgoing))

    def _legs(self, leg: Leg) -> list[FinalLeg]:
        if leg.decay is None:
            return [FinalLeg(frozenset(leg.alternatives), False)]
        columns = zip(*(decay.final for decay in leg.decay.reactions(self._model)), strict=True)
        return [FinalLeg(frozenset(column), True) for column in columns]

    @cached_property
    def decays(self) -> tuple[Decay, ...]:
        """Every decay of the chain with every choice of its products."""
        return tuple(dict.fromkeys(self._decays(self._core, 0)))

    def _decays(self, step: Step, start: int) -> Iterator[Decay]:
        for leg in step.outgoing:
            end = start + (1 if leg.decay is None else len(leg.decay.final))
            if leg.decay is not None:
                for decay in leg.decay.reactions(self._model):
                    products = tuple(sorted(decay.final, key=_by_kind))
                    yield Decay(decay.incoming[0], products, range(start, end))
                yield from self._decays(leg.decay, start)
            start = end

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

    def names(self, label: str, places: frozenset[Place]) -> tuple[str, ...] | None:
        """The names of our cards that together mean what may be at some places, and nothing else.

        Args:
            label: the class that is tried first.
            places: of the particles.

        Returns:
            the class, or names of particles, and an empty tuple where there are no places; None
            where no names mean just these particles.
        """
        if not places:
            return ()
        if self.places(codes_of(label, self._model)) == places:
            return (label,)
        pdgs = {pdg for _, pdg in places}
        if self.places(pdgs) != places:
            return None
        return tuple(self.name(pdg) for pdg in sorted(pdgs, key=_by_kind))

    def one_name(self, label: str, places: frozenset[Place]) -> str | None:
        """As `names`, as a single name: a class, or kinds of particles with "|" between them."""
        found = self.names(label, places)
        return None if found is None else "|".join(found)

    def name(self, pdg: int) -> str:
        """The name of a particle."""
        return self._model.particle_name(pdg)

    def mass(self, pdg: int) -> float:
        """Mass of a particle in GeV."""
        return self._model.mass(pdg)

    def massive(self, places: Iterable[Place]) -> bool:
        """Whether one of the particles that may be at some places has a mass."""
        return any(self.mass(pdg) > 0 for _, pdg in places)

    def window(self, decay: Decay, widths: float) -> tuple[str, float, float] | None:
        """The range of the mass of a decaying particle, and the names of its products.

        Args:
            decay: of the chain.
            widths: half of the range in units of the width.

        Returns:
            names for a cut, least and largest mass in GeV; None where the names mean other
            particles too.
        """
        elsewhere = {
            pdg for k, leg in enumerate(self.legs) if k not in decay.positions for pdg in leg.pdgs
        }
        if elsewhere & set(decay.products):
            return None
        mass, half = self._model.mass(decay.parent), widths * self._model.width(decay.parent)
        return (
            ",".join(self.name(pdg) for pdg in decay.products),
            max(mass - half, 0.0),
            mass + half,
        )

    def width(self, pdg: int) -> float:
        """Total width of a particle in GeV."""
        return self._model.width(pdg)


def depends_on_alpha_s(process: Process) -> bool:
    """Whether a diagram of a process has a strong coupling."""
    return any(
        diagram.powers[0] > 0 for group in process.groups for diagram in process.diagrams(group)
    )


def put_decay_windows(
    final: FinalParticles, widths: float, card: ImportedCard, shown: Callable[[], str]
) -> None:
    """Cut on the mass of each decaying particle of a chain as MadEvent does.

    Args:
        final: with the decays of the chain.
        widths: half of the range in units of the width.
        card: takes the cuts.
        shown: the entry for a message.
    """
    if final.decays and widths <= 0:
        meaning = "no decaying particle is on its mass shell"
        card.refuse("cuts", shown(), meaning, "give a number of widths > 0")
        return
    unnamed: dict[str, None] = {}
    for decay in final.decays:
        if final.width(decay.parent) == 0:
            continue
        window = final.window(decay, widths)
        if window is None:
            unnamed[final.name(decay.parent)] = None
            continue
        names, least, most = window
        card.cut(names, "mass_min", least)
        card.cut(names, "mass_max", most)
    if unnamed:
        products = "no names of a card mean its products alone"
        meaning = f"{', '.join(unnamed)} is within so many widths of its mass, and {products}"
        way_out = "let every particle decay to others, or cut by hand"
        card.refuse("cuts", shown(), meaning, way_out)


def is_alone(places: Collection[Place]) -> bool:
    """Whether all places are those of a single particle."""
    return len({position for position, _ in places}) == 1


def _by_kind(pdg: int) -> tuple[int, bool]:
    """Particles before their antiparticles."""
    return abs(pdg), pdg < 0
