"""A process: everything that a card fixes, before any event exists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from madnis_py import card as cards
from madnis_py.card import Card
from madnis_py.physics.channels import Channel, Resonance, pair_channels
from madnis_py.physics.cuts import Cut
from madnis_py.physics.definition import Definition
from madnis_py.physics.diagram_channels import Contribution, DiagramChannels
from madnis_py.physics.diagrams import Diagram, Joins, diagrams_of, recursion_of
from madnis_py.physics.drell_yan import mediator_name
from madnis_py.physics.matrix_element import MatrixElement
from madnis_py.physics.model import Model
from madnis_py.physics.phase_space import Array
from madnis_py.physics.subprocesses import FlavourGroup, Subprocess, flavour_groups, subprocess_of

if TYPE_CHECKING:
    from madnis_py.physics.cross_section import CrossSection

_PROTON = 2212


@dataclass(frozen=True)
class Beams:
    """What collides.

    Attributes:
        pdg: PDG codes of the two beam particles; those of the partons for beams without parton densities.
        energies: in GeV.
    """

    pdg: tuple[int, int]
    energies: tuple[float, float]


@dataclass(frozen=True)
class Process:
    """Beams, subprocesses, particles, couplings, channels, cuts and scales of one card; immutable, no arrays.

    Attributes:
        card: the card with every parameter of the model written out and no param_card any more: it stands for itself.
        model: parameters and couplings.
        definition: external legs.
        groups: flavours grouped by matrix element.
        cuts: what events have to pass, with positions of particles.
    """

    card: Card
    model: Model
    definition: Definition
    groups: tuple[FlavourGroup, ...]
    cuts: tuple[Cut, ...]

    @classmethod
    def from_card(cls, card: Card | str | Path) -> Process:
        """Build the process that a card describes.

        Args:
            card: a card, its path, or the bare name of a shipped process.

        Raises:
            CardError: the card cannot be used; names the place inside it.
        """
        if not isinstance(card, Card):
            card = cards.load(card)
        model = Model.from_card(card)
        definition = Definition.parse(card, model)
        groups = flavour_groups(definition, card, model)
        _check_beams(definition, card)
        cuts = _cuts(definition, card, model)
        resolved = card.updated({"parameters": {**model.values, "param_card": None}})
        return cls(resolved, model, definition, groups, cuts)

    @property
    def beams(self) -> Beams:
        """The particles of the beams and their energies."""
        first, second = self.definition.incoming
        partonic = self.card.beams.pdf == "none"
        return Beams((first[0], second[0]) if partonic else (_PROTON, _PROTON), self.card.beams.energy)

    @cached_property
    def subprocesses(self) -> tuple[Subprocess, ...]:
        """The matrix elements with the flavours that share them."""
        return tuple(self.subprocess(group) for group in self.groups)

    def subprocess(self, group: FlavourGroup) -> Subprocess:
        """The matrix element of one group of flavours, built when it is first asked for."""
        if group not in self._built:
            self._built[group] = subprocess_of(group, self.card, self.model)
        return self._built[group]

    @cached_property
    def _built(self) -> dict[FlavourGroup, Subprocess]:
        return {}

    def diagrams(self, group: FlavourGroup) -> tuple[Diagram, ...]:
        """The Feynman diagrams of one matrix element, in the order of its single-diagram parts."""
        return diagrams_of(recursion_of(group.reaction, Joins(self.model)))

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """How the integral is split.

        Raises:
            CardError: the cuts leave a divergence or nothing at all, or there is no mapping for this process.
        """
        mediators = self._mediators()
        if mediators:
            return pair_channels(mediators, self.cuts, self.card)
        return DiagramChannels(self._contributions(), self.model, self.cuts, self.card).build()

    def _contributions(self) -> tuple[Contribution, ...]:
        """The matrix elements with the places of their diagrams among the columns of the integrand."""
        contributions, offset = [], 0
        for group in self.groups:
            element = self.subprocess(group).matrix_element
            contributions.append(
                Contribution(
                    group.reaction.legs, self.diagrams(group), offset, partial(_squared, element, self.model["aS"])
                )
            )
            offset += element.n_diagrams
        return tuple(contributions)

    def _mediators(self) -> tuple[Resonance, ...]:
        """The particles between two incoming and two outgoing massless particles, if that is all there is."""
        found = {tuple(diagram.propagators for diagram in self.diagrams(group)) for group in self.groups}
        legs = {pdg for group in self.groups for pdg in group.reaction.legs}
        lines = next(iter(found))
        exchanged = [lines_of_one[0] for lines_of_one in lines if len(lines_of_one) == 1]
        simple = (
            len(found) == 1
            and len(exchanged) == len(lines)
            and all(legs_of_line == (2, 3) and self.model.particle(pdg).colour == 1 for pdg, legs_of_line in exchanged)
            and all(self.model.mass(pdg) == 0 for pdg in legs)
        )
        return tuple(
            Resonance(mediator_name(self.model, pdg), self.model.mass(pdg), self.model.width(pdg))
            for pdg, _ in (exchanged if simple else ())
        )

    def matrix_element(self, pdg: tuple[int, ...] | None = None) -> MatrixElement:
        """The matrix element of a partonic process.

        Args:
            pdg: PDG codes of the external legs, incoming first; not needed when the process has one matrix element.

        Raises:
            CardError: the process has several, or none for these particles.
        """
        return self.subprocess(self.group(pdg)).matrix_element

    def group(self, pdg: tuple[int, ...] | None = None) -> FlavourGroup:
        """The flavours that share the matrix element of a partonic process; see `matrix_element`."""
        groups = [group for group in self.groups if pdg is None or pdg in group.flavours]
        if len(groups) == 1:
            return groups[0]
        wanted = "fixed partons such as u u~" if pdg is None else f"a process that contains {list(pdg)}"
        raise self.card.error("process.definition", f'expected {wanted}; got "{self.definition.text}"')

    def cross_section(self) -> CrossSection:
        """The integrand of this process.

        Raises:
            PdfError: the parton densities cannot be loaded.
        """
        from madnis_py.physics.cross_section import CrossSection  # imports torch, which diagrams do without

        return CrossSection(self)


def _squared(element: MatrixElement, alpha_s: float, p: Array) -> Array:
    return element.evaluate(p, alpha_s)[0]


def _check_beams(definition: Definition, card: Card) -> None:
    if card.beams.pdf == "none" and any(len(partons) > 1 for partons in definition.incoming):
        raise card.error("beams.pdf", f'expected single partons in the beams for "none"; got "{definition.text}"')


def _cuts(definition: Definition, card: Card, model: Model) -> tuple[Cut, ...]:
    """The cuts of the card for every set of final particles that their names mean."""
    cuts = []
    for names, table in card.cuts.items():
        path = f'cuts."{names}"'
        legs = [definition.outgoing_legs(name.strip(), card, model, path) for name in names.split(",")]
        sets = {tuple(sorted(choice)) for choice in product(*legs) if len(set(choice)) == len(choice)}
        cuts += [
            Cut(observable, particles, minimum, maximum)
            for observable, (minimum, maximum) in table.ranges().items()
            for particles in sorted(sets)
        ]
    return tuple(cuts)
