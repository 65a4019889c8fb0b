"""A process: everything that a card fixes, before any event exists."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import accumulate
from pathlib import Path
from typing import Self

from madnis_py.card import card as cards
from madnis_py.card.card import Card
from madnis_py.card.process_tables import BeamTable
from madnis_py.notebook import html_table
from madnis_py.physics.amplitudes.drell_yan import mediator_name
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.amplitudes.widths import (
    Widths,
    complex_mass_warnings,
    width_warnings,
    widths_of,
)
from madnis_py.physics.decay_phase_space.decay_channels import decay_channels
from madnis_py.physics.decays.automatic_widths import model_of
from madnis_py.physics.definition.definition import Definition
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.diagrams.coupling_orders import SquaredOrders, squared_limits
from madnis_py.physics.diagrams.diagrams import Diagram, diagrams_of
from madnis_py.physics.diagrams.left_out import left_out
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import vertex_table
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.observables.selection import Selection, selection_of
from madnis_py.physics.phase_space.channel import Channel
from madnis_py.physics.phase_space.channel_builder import ChannelBuilder, Contribution
from madnis_py.physics.phase_space.drell_yan_channels import ExchangedBoson, drell_yan_channels
from madnis_py.physics.process.beams import Beams, beams_of
from madnis_py.physics.process.card_checks import check_card, parsed_histograms
from madnis_py.physics.process.flavour_groups import (
    FlavourGroup,
    flavour_groups,
    flavours_of,
    reactions_of,
)
from madnis_py.physics.process.group_elements import GroupElements
from madnis_py.physics.process.providers import resolved_card
from madnis_py.physics.process.spins import spin_caveats, spins_of


@dataclass(frozen=True, repr=False)
class Process:
    """Beams, flavours, matrix elements, channels and cuts of one card; immutable, no arrays.

    Attributes:
        card: the card with every parameter of the model written out, no param_card any more, and
            what follows from other keys: it stands for itself.
        model: parameters and couplings.
        definition: external legs.
        groups: flavours grouped by matrix element.
        selection: what events have to pass, with positions of particles.
    """

    card: Card
    model: Model
    definition: Definition
    groups: tuple[FlavourGroup, ...]
    selection: Selection

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
        model = model_of(card)
        definition = definition_of(card, model)
        return cls.of_groups(card, model, definition, flavour_groups(definition, card, model))

    @classmethod
    def of_groups(
        cls, card: Card, model: Model, definition: Definition, groups: tuple[FlavourGroup, ...]
    ) -> Self:
        """Build the process that a card describes from its groups of flavours.

        Args:
            card: of this process alone.
            model: of the card.
            definition: that the card has.
            groups: of the definition.

        Raises:
            CardError: the card cannot be used; names the place inside it.
        """
        if card.scan is not None:
            raise card.error("scan", "expected one value of each key here; only runs take lists")
        if definition.n_incoming == 1:
            card = _at_rest(card, model.mass(definition.incoming[0][0]))
        selection = selection_of(definition, flavours_of(groups), reactions_of(groups), card, model)
        check_card(card, model, definition, groups, parsed_histograms(card, model))
        return cls(resolved_card(card, model), model, definition, groups, selection)

    def __repr__(self) -> str:
        return f"Process({'; '.join(value for _, value in self._facts())})"

    def _repr_html_(self) -> str:
        return html_table("Process", self._facts())

    def _facts(self) -> list[tuple[str, str]]:
        """What there is to say about it, name and value."""
        return [
            ("definition", self.definition.title),
            ("collision", self._collision),
            ("model", self.card.process.model),
            ("flavours", f"{len(self.flavours)} flavours in {len(self.groups)} groups"),
        ]

    @property
    def _collision(self) -> str:
        """Energy and parton densities in a few words: "13000 GeV, NNPDF40_lo_as_01180"."""
        if self.definition.n_incoming == 1:
            return "decay at rest"
        energy = f"{math.sqrt(self.beams.s):.6g} GeV"
        return ", ".join([energy, *filter(None, dict.fromkeys(self.card.beams.pdfs))])

    @property
    def number(self) -> int:
        """Number of the process in event files: behind "@" in the definition, otherwise 1."""
        return 1 if self.definition.number is None else self.definition.number

    @cached_property
    def squared_orders(self) -> tuple[SquaredOrders, ...]:
        """Powers in |M|^2 of the coupling orders of events.order_weights, ascending."""
        names = self.card.events.order_weights
        if not names:
            return ()
        vertices = vertex_table(self.model)
        every = (recursion_of(group.reaction, vertices) for group in self.groups)
        return tuple(sorted({one for step in every for one in step.powers_of_products(names)}))

    @property
    def order_names(self) -> tuple[str, ...]:
        """Names of the `squared_orders`, "NP^2==1" or "NP^2==1 QED^2==4"."""
        names = self.card.events.order_weights or ()
        return tuple(
            " ".join(map(str, squared_limits(names, powers))) for powers in self.squared_orders
        )

    @property
    def beams(self) -> Beams:
        """The particles of the beams, their energies and helicities."""
        return beams_of(self.definition, self.card, self.model)

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """The cuts that a phase-space map may rely on.

        They are on particles at fixed positions and hold for all flavours.
        """
        return self.selection.cuts

    @property
    def flavours(self) -> tuple[tuple[int, ...], ...]:
        """PDG codes of the external legs, incoming first, of every combination of flavours."""
        return flavours_of(self.groups)

    @property
    def matrix_elements(self) -> tuple[MatrixElement, ...]:
        """The matrix element of each of the `groups`, made when they are first asked for."""
        return tuple(self._elements[group] for group in self.groups)

    def matrix_element_of(self, group: FlavourGroup) -> MatrixElement:
        """The matrix element of one of the `groups`, made when it is first asked for."""
        return self._elements[group]

    @cached_property
    def _elements(self) -> GroupElements:
        return GroupElements(self.groups, self.diagrams, self.tree_amplitude, self.card, self.model)

    @property
    def unmirrored(self) -> tuple[FlavourGroup, ...]:
        """The groups whose matrix element is not that of an earlier one with exchanged beams."""
        return self._elements.unmirrored

    def tree_amplitude(self, group: FlavourGroup) -> TreeAmplitude:
        """The tape of a group, kept in the user's cache directory."""
        return TreeAmplitude(
            group.reaction,
            self.model,
            self.widths(group).zero,
            TapeCache(),
            spins_of(group.reaction, self.card, self.model),
            self.card.events.order_weights or (),
            self.diagrams(group),
        )

    def widths(self, group: FlavourGroup) -> Widths:
        """Which propagators of a group have a width."""
        return widths_of(
            group.reaction,
            self.diagrams(group),
            self.mass_limits(group),
            self.model,
            self.card.process,
        )

    def mass_limits(self, group: FlavourGroup, cuts: Sequence[Cut] | None = None) -> MassLimits:
        """The invariant masses that energy, masses and cuts leave to the particles of a group.

        Args:
            group: one of `groups`.
            cuts: those that hold for all flavours by default.
        """
        legs, n_incoming = group.reaction.legs, self.definition.n_incoming
        energy = math.sqrt(self.beams.s) if n_incoming == 2 else self.model.mass(legs[0])
        final = tuple(range(n_incoming, len(legs)))
        fixed = len(final) > 1 and (n_incoming == 1 or self.beams.partonic)
        whole = [Cut("mass", final, energy, energy)] if fixed else []
        every = [*(self.cuts if cuts is None else cuts), *whole]
        return MassLimits([self.model.mass(pdg) for pdg in legs], every, energy, n_incoming)

    @cached_property
    def caveats(self) -> tuple[str, ...]:
        """Sentences that belong beside the numbers of this process."""
        if self.card.process.matrix_element is not None:
            return self.model.warnings
        widths = ((self.widths(group), group.reaction.legs) for group in self.groups)
        return (
            *self.model.warnings,
            *spin_caveats(self.definition, self.model),
            *width_warnings(widths, self.model),
            *complex_mass_warnings({pdg for legs in self.flavours for pdg in legs}, self.model),
            *self._restriction_warnings(),
        )

    def _restriction_warnings(self) -> Iterator[str]:
        """A warning where the definition leaves diagrams out, with one of the processes it does."""
        for group in self.groups:
            n_left_out, n_diagrams = self.left_out(group), len(self.diagrams(group))
            if n_left_out > 0:
                name = self.model.reaction_name(group.reaction.legs, self.definition.n_incoming)
                yield (
                    f'restrictions: "{self.definition.title}" leaves out {n_left_out} of '
                    f"{n_left_out + n_diagrams} diagrams of {name}; what is left may depend on the "
                    "gauge"
                )
                return

    def left_out(self, group: FlavourGroup) -> int:
        """How many diagrams of a group its restrictions leave out."""
        return left_out(group.reaction, vertex_table(self.model))

    def diagrams(self, group: FlavourGroup) -> tuple[Diagram, ...]:
        """The Feynman diagrams of a group, in the order of its single-diagram parts."""
        if group not in self._diagrams:
            self._diagrams[group] = diagrams_of(
                recursion_of(group.reaction, vertex_table(self.model))
            )
        return self._diagrams[group]

    @cached_property
    def _diagrams(self) -> dict[FlavourGroup, tuple[Diagram, ...]]:
        return {}

    @cached_property
    def diagram_offsets(self) -> tuple[int, ...]:
        """Where the diagrams of each group begin among those of the integrand; then their number.

        The integrand strings together the single-diagram parts of all groups: diagram k of
        groups[i] is column diagram_offsets[i] + k, which is what `Channel.diagrams` counts.
        """
        return tuple(accumulate((len(self.diagrams(group)) for group in self.groups), initial=0))

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """How the integral is split.

        Raises:
            CardError: the cuts leave nothing at all, or there is no mapping for this process.
        """
        if self.definition.n_incoming == 1:
            return decay_channels(self._contributions(), self.model, self.cuts, self.card)
        bosons = self._drell_yan_bosons()
        if not bosons or self.card.channels.phase_space == "flat":
            return ChannelBuilder(
                self._contributions(), self.model, self.selection, self.beams.colliding, self.card
            ).build()
        return tuple(
            replace(
                channel,
                diagrams=tuple(
                    offset + diagram
                    for offset in self.diagram_offsets[:-1]
                    for diagram in channel.diagrams
                ),
            )
            for channel in drell_yan_channels(bosons, self.cuts, self.beams.colliding, self.card)
        )

    def _contributions(self) -> list[Contribution]:
        """What channels depend on, of each of the `groups`."""
        return [
            Contribution(
                group.reaction.legs,
                self.diagrams(group),
                offset,
                partial(self.matrix_element_of(group).squared, alpha_s=self.model.alpha_s),
            )
            for group, offset in zip(self.groups, self.diagram_offsets[:-1], strict=True)
        ]

    def _drell_yan_bosons(self) -> tuple[ExchangedBoson, ...]:
        """The bosons of a process like Drell-Yan, in the order of its diagrams; else ().

        Such a process has two massless incoming and two massless outgoing particles, and each
        diagram of each group a single colourless propagator between them, on its mass shell or not.
        Both beams are partons, or both have smooth densities.
        """
        if self.beams.shares not in (("whole", "whole"), ("smooth", "smooth")):
            return ()
        if any(len(group.reaction.legs) != 4 for group in self.groups):
            return ()
        propagators = {
            tuple(diagram.propagators for diagram in self.diagrams(group)) for group in self.groups
        }
        legs = {pdg for group in self.groups for pdg in group.reaction.legs}
        if len(propagators) > 1 or any(self.model.mass(pdg) > 0 for pdg in legs):
            return ()
        (diagrams,) = propagators
        if any([products for _, products in lines] != [(2, 3)] for lines in diagrams):
            return ()
        if any(diagram.off_shell for group in self.groups for diagram in self.diagrams(group)):
            return ()
        bosons = [pdg for ((pdg, _),) in diagrams]
        if any(self.model.particle(pdg).colour != 1 for pdg in bosons):
            return ()
        return tuple(
            ExchangedBoson(
                mediator_name(self.model, pdg), self.model.mass(pdg), self.model.width(pdg)
            )
            for pdg in bosons
        )

    def matrix_element(self, pdg: tuple[int, ...] | None = None) -> MatrixElement:
        """The matrix element of a partonic process.

        Args:
            pdg: PDG codes of the external legs, incoming first; not needed when the process has one
                matrix element.

        Raises:
            CardError: the process has several, or none for these particles.
        """
        return self.matrix_element_of(self.group(pdg))

    def group(self, pdg: tuple[int, ...] | None = None) -> FlavourGroup:
        """The group of flavours of a partonic process; see `matrix_element`."""
        groups = [group for group in self.groups if pdg is None or pdg in group.flavours]
        if len(groups) == 1:
            return groups[0]
        asked = (
            "fixed partons such as u u~" if pdg is None else f"a process that contains {list(pdg)}"
        )
        raise self.card.error(
            "process.definition", f'expected {asked}; got "{self.definition.text}"'
        )


def _at_rest(card: Card, mass: float) -> Card:
    """The card of a decay: no beams, and what it does not say about scales is MadGraph's.

    Scales are the mass in GeV, to which alpha_s runs; events have no variations.
    """
    scales = {"factorization": mass, "renormalization": mass, "alpha_s_running": True}
    variations: dict[str, object] = {"scale_factors": [], "pdf_members": False}
    beams: dict[str, object] = dict.fromkeys(BeamTable.model_fields)
    return card.updated(
        {
            "beams": {**beams, "pdf": "none"},
            "scales": {
                key: value
                for key, value in scales.items()
                if key not in card.scales.model_fields_set and mass > 0
            },
            "systematics": {
                key: value
                for key, value in variations.items()
                if key not in card.systematics.model_fields_set
            },
        }
    )
