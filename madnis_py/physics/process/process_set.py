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
from madnis_py.physics.process.flavour_groups import FlavourGroup, Legs
from madnis_py.physics.process.process import Process
from madnis_py.physics.process.providers import resolved_card


@dataclass(frozen=True)
class ProcessSet:
    """The processes of one card; immutable, no arrays.

    A definition without a number, "@N", has that of its place in the list, from 1, as in MadGraph;
    several may have the same one. Cuts and histograms on particles that a process does not have
    count for the others.

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
            CardError: the card cannot be used, or two definitions have events in common; names the
                place inside it.
        """
        if not isinstance(card, Card):
            card = cards.load(card)
        if card.process.matrix_element is not None and len(card.process.definitions) > 1:
            expected = "expected one process where another program computes |M|^2"
            got = f"got {len(card.process.definitions)}"
            raise card.error("process.matrix_element", f"{expected}; {got}")
        model = model_of(card)
        processes = tuple(
            _with_histograms(Process.from_card(one), card, model) for one in _own_cards(card, model)
        )
        _require_histograms_of_some(processes, card, model)
        _require_one_kind_of_beams(processes, card)
        _require_no_overlap(processes, card)
        return cls(resolved_card(card, model), processes)


def _own_cards(card: Card, model: Model) -> Iterator[Card]:
    """The card of each process, with a number, with the cuts that it can have and no histograms."""
    without: dict[str, dict[str, object]] = {"histograms": dict.fromkeys(card.histograms)}
    numbered: list[tuple[Card, Definition]] = []
    for place, text in enumerate(card.process.definitions, start=1):
        definition = definition_of(card.updated({"process": {"definition": text}}), model)
        text = text if definition.number is not None else f"{text} @{place}"
        numbered.append((card.updated({"process": {"definition": text}, **without}), definition))
    foreign = [
        {name for name in card.cuts.by_name if not _has_particles(name, definition, model)}
        for _, definition in numbered
    ]
    of_nobody = set.intersection(*foreign)  # which is an error, or no cut in a single process
    for (own, _), names in zip(numbered, foreign, strict=True):
        yield own.updated({"cuts": dict.fromkeys(names - of_nobody)})


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


def _require_no_overlap(processes: Sequence[Process], card: Card) -> None:
    """Refuse two definitions that would count the same events twice.

    They do where both have the same particles, in states that both have, from the same diagrams;
    another power of a coupling, a decay or an excluded particle makes other diagrams.
    """
    contents = [_groups_by_content(process) for process in processes]
    for (one, first), (other, second) in combinations(zip(processes, contents, strict=True), 2):
        for content in first.keys() & second.keys():
            groups = first[content], second[content]
            same_diagrams = _diagrams(one, groups[0]) == _diagrams(other, groups[1])
            if same_diagrams and _share_states(groups[0].reaction, groups[1].reaction, one.model):
                incoming, outgoing = content
                shared = one.model.reaction_name((*incoming, *outgoing), len(incoming))
                got = f'got "{one.definition.text}" and "{other.definition.text}"'
                raise card.error(
                    "process.definition",
                    f"expected processes without events in common; {got}, both with {shared}",
                )


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
