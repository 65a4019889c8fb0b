"""A process: everything that a card fixes, before any event exists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import accumulate
from pathlib import Path

from madnis_py.arrays import Array
from madnis_py.card import card as cards
from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.drell_yan import closed_form, mediator_name
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.amplitudes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.amplitudes.widths import Widths, caveats, widths_of
from madnis_py.physics.diagrams.definition import Definition
from madnis_py.physics.diagrams.diagrams import Diagram, diagrams_of
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.observables.observable import Observable
from madnis_py.physics.observables.selection import Selection, selection_of
from madnis_py.physics.phase_space.channels import Channel, Resonance, pair_channels
from madnis_py.physics.phase_space.diagram_channels import Contribution, DiagramChannels
from madnis_py.physics.process.beams import Beams, beams_of, check_beams
from madnis_py.physics.process.mirrored import mirror, mirrored_columns
from madnis_py.physics.process.providers import pinned
from madnis_py.physics.process.subprocesses import (
    FlavourGroup,
    Subprocess,
    flavour_groups,
    has_closed_form,
    mirrored_subprocess,
    provided_subprocess,
)


@dataclass(frozen=True)
class _Image:
    """The group with exchanged incoming particles.

    Attributes:
        group: that one.
        columns: for every diagram, its position among those of that one.
    """

    group: FlavourGroup
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Process:
    """Beams, subprocesses, particles, couplings, channels, cuts and scales of one card; immutable, no arrays.

    Attributes:
        card: the card with every parameter of the model written out and no param_card any more: it
            stands for itself.
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
        card = pinned(card)
        model = Model.from_card(card)
        definition = Definition.parse(card, model)
        groups = flavour_groups(definition, card, model)
        _check_masses(groups, definition, card, model)
        _check_scales(groups, definition, card)
        check_beams(beams_of(definition, card, model), definition, card, model)
        selection = selection_of(
            definition, [legs for group in groups for legs in group.flavours], card, model
        )
        _check_histograms(definition, groups, card, model)
        filled_in = model.filled_in or None
        resolved = card.updated(
            {"parameters": {**model.values, "param_card": None, "filled_in": filled_in}}
        )
        return cls(resolved, model, definition, groups, selection)

    @property
    def beams(self) -> Beams:
        """The particles of the beams, their energies and helicities."""
        return beams_of(self.definition, self.card, self.model)

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """The cuts on particles at fixed positions that hold for all flavours: what a phase-space map may rely on."""
        return self.selection.cuts

    @property
    def flavours(self) -> tuple[tuple[int, ...], ...]:
        """PDG codes of the external legs, incoming first, of every combination of flavours, group by group."""
        return tuple(legs for group in self.groups for legs in group.flavours)

    @cached_property
    def subprocesses(self) -> tuple[Subprocess, ...]:
        """The matrix elements with the flavours that share them."""
        return tuple(self.subprocess(group) for group in self.groups)

    def subprocess(self, group: FlavourGroup) -> Subprocess:
        """The matrix element of one group of flavours, built when it is first asked for."""
        if group not in self._built:
            self._built[group] = self._mirrored(group) or self._made(group)
        return self._built[group]

    def _made(self, group: FlavourGroup) -> Subprocess:
        own = partial(self._own_matrix_element, group)
        if self.card.process.matrix_element is None:
            return Subprocess(own(), group.flavours)
        alone = self.unmirrored
        names = tuple(
            self.model.reaction_name(one.reaction.legs, len(one.reaction.incoming)) for one in alone
        )
        return provided_subprocess(group, own, self.card, self.model, alone.index(group), names)

    def _own_matrix_element(self, group: FlavourGroup) -> MatrixElement:
        """A closed formula where there is a fast one, else a tape."""
        return closed_form(group.reaction, self.model) or self.tree_amplitude(group)

    def tree_amplitude(self, group: FlavourGroup) -> TreeAmplitude:
        """The tape of a group, kept in the user's cache directory."""
        return TreeAmplitude(group.reaction, self.model, self.widths(group).zero, TapeCache())

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
        """The invariant masses that energy, masses and cuts leave to the final particles of a group.

        Args:
            group: one of `groups`.
            cuts: those that hold for all flavours by default.
        """
        legs, n_incoming = group.reaction.legs, self.definition.n_incoming
        energy = math.sqrt(self.beams.s) if n_incoming == 2 else self.model.mass(legs[0])
        final = tuple(range(n_incoming, len(legs)))
        fixed = len(final) > 1 and (n_incoming == 1 or self.card.beams.pdf == "none")
        whole = [Cut("mass", final, energy, energy)] if fixed else []
        every = [*(self.cuts if cuts is None else cuts), *whole]
        return MassLimits([self.model.mass(pdg) for pdg in legs], every, energy, n_incoming)

    @cached_property
    def caveats(self) -> tuple[str, ...]:
        """What to say beside the numbers of this process, a sentence each."""
        if self.card.process.matrix_element is not None:
            return self.model.warnings
        return self.model.warnings + caveats(
            ((self.widths(group), group.reaction.legs) for group in self.groups), self.model
        )

    def _mirrored(self, group: FlavourGroup) -> Subprocess | None:
        """A group by the matrix element of an earlier one with exchanged incoming particles."""
        image = self._image(group)
        if image is None or has_closed_form(image.group, self.card, self.model):
            return None
        return mirrored_subprocess(
            group, self.subprocess(image.group).matrix_element, image.columns
        )

    @property
    def unmirrored(self) -> tuple[FlavourGroup, ...]:
        """The groups whose matrix element is not that of an earlier one with exchanged incoming particles."""
        return tuple(group for group in self.groups if self._image(group) is None)

    def _image(self, group: FlavourGroup) -> _Image | None:
        if group not in self._images:
            self._images[group] = self._find_image(group)
        return self._images[group]

    def _find_image(self, group: FlavourGroup) -> _Image | None:
        wanted = mirror(group.reaction)
        earlier = self.groups[: self.groups.index(group)]
        found = next((other for other in earlier if other.reaction == wanted), None)
        if found is None:
            return None
        columns = mirrored_columns(self.diagrams(group), self.diagrams(found))
        return None if columns is None else _Image(found, tuple(columns))

    @cached_property
    def _images(self) -> dict[FlavourGroup, _Image | None]:
        return {}

    @cached_property
    def _built(self) -> dict[FlavourGroup, Subprocess]:
        return {}

    def diagrams(self, group: FlavourGroup) -> tuple[Diagram, ...]:
        """The Feynman diagrams of one matrix element, in the order of its single-diagram parts."""
        if group not in self._enumerated:
            self._enumerated[group] = diagrams_of(
                recursion_of(group.reaction, VertexTable(self.model))
            )
        return self._enumerated[group]

    @cached_property
    def _enumerated(self) -> dict[FlavourGroup, tuple[Diagram, ...]]:
        return {}

    @cached_property
    def diagram_offsets(self) -> tuple[int, ...]:
        """Where the diagrams of each group begin among the single-diagram parts of the integrand; then their number.

        The integrand strings together the diagrams of all groups: diagram k of groups[i] is column
        diagram_offsets[i] + k, which is what `Channel.diagrams` counts.
        """
        return tuple(accumulate((len(self.diagrams(group)) for group in self.groups), initial=0))

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """How the integral is split.

        Raises:
            CardError: the cuts leave nothing at all, or there is no mapping for this process.
        """
        mediators = self._mediators()
        if self.definition.n_incoming != 2:
            expected = "expected a process with two incoming particles to integrate"
            raise self.card.error("process.definition", f'{expected}; got "{self.definition.text}"')
        if not mediators or self.card.channels.phase_space == "flat":
            return DiagramChannels(
                self._contributions(), self.model, self.selection, self.card
            ).build()
        channels = pair_channels(mediators, self.cuts, self.card)
        return tuple(
            replace(channel, diagrams=self._columns(channel.diagrams)) for channel in channels
        )

    def _columns(self, diagrams: tuple[int, ...]) -> tuple[int, ...]:
        """The columns of the same diagrams of every group."""
        return tuple(
            offset + diagram for offset in self.diagram_offsets[:-1] for diagram in diagrams
        )

    def _contributions(self) -> tuple[Contribution, ...]:
        """The matrix elements with the places of their diagrams among the columns of the integrand."""
        return tuple(
            Contribution(
                group.reaction.legs,
                self.diagrams(group),
                offset,
                partial(_squared, self.subprocess(group).matrix_element, self.model["aS"]),
            )
            for group, offset in zip(self.groups, self.diagram_offsets[:-1], strict=True)
        )

    def _mediators(self) -> tuple[Resonance, ...]:
        """The particles between two incoming and two outgoing massless particles, if that is all there is."""
        found = {
            tuple(diagram.propagators for diagram in self.diagrams(group)) for group in self.groups
        }
        legs = {pdg for group in self.groups for pdg in group.reaction.legs}
        lines = next(iter(found))
        exchanged = [lines_of_one[0] for lines_of_one in lines if len(lines_of_one) == 1]
        simple = (
            len(found) == 1
            and len(exchanged) == len(lines)
            and all(
                legs_of_line == (2, 3) and self.model.particle(pdg).colour == 1
                for pdg, legs_of_line in exchanged
            )
            and all(self.model.mass(pdg) == 0 for pdg in legs)
        )
        return tuple(
            Resonance(mediator_name(self.model, pdg), self.model.mass(pdg), self.model.width(pdg))
            for pdg, _ in (exchanged if simple else ())
        )

    def matrix_element(self, pdg: tuple[int, ...] | None = None) -> MatrixElement:
        """The matrix element of a partonic process.

        Args:
            pdg: PDG codes of the external legs, incoming first; not needed when the process has one
                matrix element.

        Raises:
            CardError: the process has several, or none for these particles.
        """
        return self.subprocess(self.group(pdg)).matrix_element

    def group(self, pdg: tuple[int, ...] | None = None) -> FlavourGroup:
        """The flavours that share the matrix element of a partonic process; see `matrix_element`."""
        groups = [group for group in self.groups if pdg is None or pdg in group.flavours]
        if len(groups) == 1:
            return groups[0]
        wanted = (
            "fixed partons such as u u~" if pdg is None else f"a process that contains {list(pdg)}"
        )
        raise self.card.error(
            "process.definition", f'expected {wanted}; got "{self.definition.text}"'
        )


def _squared(element: MatrixElement, alpha_s: float, p: Array) -> Array:
    return element.squared(p, alpha_s)


def _check_histograms(
    definition: Definition, groups: tuple[FlavourGroup, ...], card: Card, model: Model
) -> None:
    finals = {legs[definition.n_incoming :] for group in groups for legs in group.flavours}
    for text in card.histograms:
        try:
            measurable = Observable.parse(text, model).measurable(finals)
        except InputError as error:
            raise card.error("histograms", str(error)) from None
        if not measurable:
            raise card.error(
                f'histograms."{text}"',
                f'expected particles that "{definition.text}" has; got others',
            )


def _check_masses(
    groups: tuple[FlavourGroup, ...], definition: Definition, card: Card, model: Model
) -> None:
    """Three massless particles meet only if they are parallel, where all invariants are 0."""
    for legs in (group.reaction.legs for group in groups):
        if len(legs) == 3 and not any(model.mass(pdg) for pdg in legs):
            raise card.error(
                "process.definition",
                f'expected a mass among three particles; got "{definition.text}"',
            )


def _check_scales(groups: tuple[FlavourGroup, ...], definition: Definition, card: Card) -> None:
    """A single particle has no transverse momentum, so that scales made of these are 0."""
    if definition.n_incoming != 2 or len(groups[0].reaction.legs) > 3:
        return
    for name, scale in (
        ("factorization", card.scales.factorization),
        ("renormalization", card.scales.renormalization),
    ):
        if str(scale).startswith(("ht", "sum_et")):
            expected = (
                'expected GeV, "sum_mt" or "sqrt_s" for a single final particle, which has no p_T'
            )
            raise card.error(f"scales.{name}", f'{expected}; got "{scale}"')
