"""Processes of a card that lists several: each with a card of its own, none counted twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from pathlib import Path

from madnis_py.card import card as cards
from madnis_py.card.card import Card
from madnis_py.card.documents import quoted
from madnis_py.card.observable_names import EVENT
from madnis_py.physics.decays.automatic_widths import model_of
from madnis_py.physics.definition.definition import Definition
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.diagrams.polarisation import helicity_states
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.particle_names import codes_of, split_kinds, split_rank
from madnis_py.physics.process.card_checks import parsed_histograms
from madnis_py.physics.process.flavour_groups import (
    FlavourGroup,
    Legs,
    by_masses,
    flavour_groups,
)
from madnis_py.physics.process.process import Process
from madnis_py.physics.process.providers import resolved_card

_MOST_PROCESSES = 200
"""Processes of a card, above what anyone waits for."""


@dataclass(frozen=True)
class ProcessSet:
    """The processes of one card; immutable, no arrays.

    A definition whose labels stand for particles of several masses is a process for each choice of
    masses of its legs. A definition without a number, "@N", has that of its place in the list, from
    1, as in MadGraph; several may have the same one. Cuts and histograms on particles that a
    process does not have count for the others.

    Attributes:
        card: the card with every parameter of the model written out, which stands for itself.
        processes: in the order of the card.
    """

    card: Card
    processes: tuple[Process, ...]

    @classmethod
    def from_card(cls, card: Card | str | Path) -> ProcessSet:
        """Build the processes that a card describes.

        Args:
            card: a card, its path, or the bare name of a shipped process.

        Raises:
            CardError: the card cannot be used, has too many processes, or two definitions have
                events in common; names the place inside it.
        """
        if not isinstance(card, Card):
            card = cards.load(card)
        _require_one_definition_of_masses(card)
        model = model_of(card)
        parts = _parts(card, model)
        if len(parts) == 1:
            alone = Process.of_groups(card, model, parts[0].definition, parts[0].groups)
            return cls(alone.card, (alone,))
        if card.process.matrix_element is not None:
            expected = "expected one process where another program computes |M|^2"
            raise card.error("process.matrix_element", f"{expected}; got {len(parts)}")
        processes = tuple(
            _with_histograms(
                Process.of_groups(part.card, model, part.definition, part.groups), card, model
            )
            for part in _with_own_cuts(parts, card, model)
        )
        _require_histograms_of_some(processes, card, model)
        _require_one_kind_of_beams(processes, card)
        _require_no_overlap(processes, card)
        _require_same_orders(processes, card)
        return cls(resolved_card(card, model), processes)


def _require_one_definition_of_masses(card: Card) -> None:
    if card.process.masses is not None and len(card.process.definitions) > 1:
        got = f"got {len(card.process.definitions)}"
        raise card.error("process.masses", f"expected one definition that they are of; {got}")


@dataclass(frozen=True)
class _Part:
    """A process before its cuts are known to fit.

    Attributes:
        card: of it alone.
        definition: restricted to its masses where there are several.
        groups: its flavours.
    """

    card: Card
    definition: Definition
    groups: tuple[FlavourGroup, ...]


def _parts(card: Card, model: Model) -> list[_Part]:
    """The processes of a card, those of a definition by their masses."""
    parts: list[_Part] = []
    for one in _numbered(card, model):
        definition = definition_of(one, model)
        by_mass = by_masses(flavour_groups(definition, one, model), model)
        if len(by_mass) == 1:
            parts += [_Part(one, definition, *by_mass.values())]
            continue
        for masses, groups in by_mass.items():
            own = one.updated({"process": {"masses": [*masses]}})
            parts.append(_Part(own, replace(definition, masses=masses), groups))
    if len(parts) > _MOST_PROCESSES:
        expected = f"expected at most {_MOST_PROCESSES} processes, each of one mass of every leg"
        raise card.error("process.definition", f"{expected}; got {len(parts)}")
    return parts


def _numbered(card: Card, model: Model) -> Iterator[Card]:
    """A card for each definition, which has a number if there are several."""
    for place, text in enumerate(card.process.definitions, start=1):
        one = card.of_process(text)
        several = len(card.process.definitions) > 1
        without_number = several and definition_of(one, model).number is None
        yield card.of_process(f"{text} @{place}") if without_number else one


def _with_own_cuts(parts: Sequence[_Part], card: Card, model: Model) -> Iterator[_Part]:
    """The processes with the cuts that each of them can have, and no histograms."""
    foreign = [
        {name for name in card.cuts.by_name if not _has_particles(name, part.definition, model)}
        for part in parts
    ]
    of_nobody = set.intersection(*foreign)  # which is an error, or no cut in a single process
    for part, names in zip(parts, foreign, strict=True):
        without = dict.fromkeys(names - of_nobody)
        histograms = dict.fromkeys(card.histograms)
        yield replace(part, card=part.card.updated({"cuts": without, "histograms": histograms}))


def _has_particles(names: str, definition: Definition, model: Model) -> bool:
    """Whether a final state can have the particles of an entry of [cuts]."""
    for text in (part.strip() for part in names.split(",")):
        name, rank = split_rank(text)
        codes = frozenset().union(*(codes_of(kind, model) for kind in split_kinds(name)))
        members = sum(not codes.isdisjoint(legs) for legs in definition.outgoing)
        if text != EVENT and members < (rank or 1):
            return False
    return True


def _with_histograms(process: Process, card: Card, model: Model) -> Process:
    """The process with the histograms of the card that it can have."""
    own = {
        text: card.content()["histograms"][text]
        for text, observable in parsed_histograms(card, model).items()
        if observable.measurable(_finals(process))
    }
    return replace(process, card=process.card.updated({"histograms": own}))


def _finals(process: Process) -> set[Legs]:
    """PDG codes of the final states."""
    return {legs[process.definition.n_incoming :] for legs in process.flavours}


def _require_histograms_of_some(processes: Sequence[Process], card: Card, model: Model) -> None:
    """Refuse a histogram of particles that no process has."""
    known = {text for process in processes for text in process.card.histograms}
    for text in card.histograms:
        if text not in known:
            expected = "expected particles that one of the processes has"
            raise card.error(f"histograms.{quoted(text)}", f"{expected}; got others")


def _require_one_kind_of_beams(processes: Sequence[Process], card: Card) -> None:
    """Refuse processes that do not happen in the same collisions."""
    first = processes[0]
    for other in processes[1:]:
        same = (
            other.definition.n_incoming == first.definition.n_incoming
            and other.beams.pdg == first.beams.pdg
        )
        if not same:
            got = f'got "{first.definition.text}" and "{other.definition.text}"'
            raise card.error("process.definition", f"expected processes of the same beams; {got}")


def _require_same_orders(processes: Sequence[Process], card: Card) -> None:
    """Refuse weights by squared orders of events some of which have others."""
    first = processes[0]
    for other in processes[1:]:
        if other.order_names != first.order_names:
            expected = "expected processes with the same squared orders"
            got = " and ".join(
                f"{', '.join(one.order_names)} of {one.definition.title}" for one in (first, other)
            )
            raise card.error("events.order_weights", f"{expected}; got {got}")


def _require_no_overlap(processes: Sequence[Process], card: Card) -> None:
    """Refuse two definitions that would count the same events twice.

    They do where both have the same particles, in states that both have, from the same diagrams;
    another power of a coupling, a decay or an excluded particle makes other diagrams. Processes of
    one definition have other masses, be it of equal particles with different polarisations.
    """
    contents = [_groups_by_content(process) for process in processes]
    for (one, first), (other, second) in combinations(zip(processes, contents, strict=True), 2):
        if _are_of_one_definition(one.definition, other.definition):
            continue
        for content in first.keys() & second.keys():
            groups = first[content], second[content]
            same_diagrams = _diagrams(one, groups[0]) == _diagrams(other, groups[1])
            decays = [_decays(group.reaction, one.model) for group in groups]
            if (
                same_diagrams
                and decays[0] == decays[1]
                and _share_states(groups[0].reaction, groups[1].reaction, one.model)
            ):
                incoming, outgoing = content
                shared = one.model.reaction_name((*incoming, *outgoing), len(incoming))
                got = f'got "{one.definition.text}" and "{other.definition.text}"'
                raise card.error(
                    "process.definition",
                    f"expected processes without events in common; {got}, both with {shared}",
                )


def _are_of_one_definition(one: Definition, other: Definition) -> bool:
    """Whether two processes are what one definition means for different masses."""
    return one.text == other.text and one.masses != other.masses


def _share_states(one: Reaction, other: Reaction, model: Model) -> bool:
    """Whether all particles may be in the same states in two reactions of the same particles."""
    first, second = _states(one, model), _states(other, model)
    return all(
        any(
            all(a & b for a, b in zip(sets, order, strict=True))
            for order in permutations(second[particle])
        )
        for particle, sets in first.items()
        if len(second[particle]) == len(sets)
    )


def _states(reaction: Reaction, model: Model) -> dict[str, list[frozenset[int]]]:
    """The states of each incoming particle, by its place, and of those of one kind that come out.

    Particles that decay are among them.
    """
    found: dict[str, list[frozenset[int]]] = defaultdict(list)
    incoming = zip(reaction.incoming, reaction.leg_polarisations, strict=False)
    for place, (pdg, selected) in enumerate(incoming):
        found[f"beam {place}"].append(frozenset(selected or helicity_states(model, pdg)))
    steps = [reaction]
    for step in steps:
        for branch in step.outgoing:
            states = branch.polarisation or helicity_states(model, branch.pdg)
            found[model.particle_name(branch.pdg)].append(frozenset(states))
            steps += [branch.decay] if branch.decay else []
    return found


def _groups_by_content(process: Process) -> dict[tuple[Legs, Legs], FlavourGroup]:
    """Incoming and sorted outgoing particles -> the group that has them."""
    n_incoming = process.definition.n_incoming
    return {
        (legs[:n_incoming], tuple(sorted(legs[n_incoming:]))): group
        for group in process.groups
        for legs in group.flavours
    }


def _decays(reaction: Reaction, model: Model) -> list[tuple[Kind, list[Kind]]]:
    """What decays by the definition to which final particles, whatever their flavours."""
    legs = reaction.legs
    return sorted(
        (_kind(decay.pdg, model), sorted(_kind(legs[leg], model) for leg in decay.legs))
        for decay in reaction.decays
    )


Kind = tuple[int, int, float, float]
"""Spin and colour of a particle, its mass in GeV and its charge."""


def _kind(pdg: int, model: Model) -> Kind:
    particle = model.particle(pdg)
    return particle.spin, particle.colour, model.mass(pdg), model.charge(pdg)


def _diagrams(
    process: Process, group: FlavourGroup
) -> list[tuple[tuple[int, ...], list[tuple[int, int, float]]]]:
    """Diagrams by their powers of couplings and what propagates, whatever the legs are called.

    Flavours that share a matrix element count as one: particles by their spin, colour and mass.
    """
    model = process.model

    def kind(pdg: int) -> tuple[int, int, float]:
        particle = model.particle(pdg)
        return particle.spin, particle.colour, model.mass(pdg)

    return sorted(
        (diagram.powers, sorted(kind(pdg) for pdg, _ in diagram.propagators))
        for diagram in process.diagrams(group)
    )
