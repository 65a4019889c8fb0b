"""The partonic processes of a definition: which flavours share which matrix element."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from madnis_py.card import Card
from madnis_py.physics.definition import Definition, Reaction
from madnis_py.physics.diagrams import Joins, recursion_of
from madnis_py.physics.drell_yan import closed_form
from madnis_py.physics.flavour_symmetry import FlavourSymmetry
from madnis_py.physics.matrix_element import MatrixElement
from madnis_py.physics.model import Model
from madnis_py.physics.tape_cache import TapeCache
from madnis_py.physics.tree_amplitude import TreeAmplitude


@dataclass(frozen=True)
class Subprocess:
    """The flavours of a process that share one matrix element.

    Attributes:
        matrix_element: |M|^2 as a function of momenta alone.
        flavours: PDG codes of the external legs, incoming first, for each combination of flavours.
    """

    matrix_element: MatrixElement
    flavours: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class FlavourGroup:
    """Reactions with one matrix element.

    Attributes:
        reaction: the one that it is built for.
        flavours: PDG codes of the external legs of all of them.
    """

    reaction: Reaction
    flavours: tuple[tuple[int, ...], ...]


def flavour_groups(definition: Definition, card: Card, model: Model) -> tuple[FlavourGroup, ...]:
    """Group the reactions of a definition that have tree diagrams by matrix element.

    Raises:
        CardError: none of them has.
    """
    symmetry, joins = FlavourSymmetry.of(model), Joins(model)
    groups: dict[Reaction, list[tuple[int, ...]]] = {}
    for reaction in _distinct(definition.reactions(model)):
        groups.setdefault(symmetry.representative(reaction), []).append(reaction.legs)
    found = tuple(
        FlavourGroup(reaction, tuple(flavours))
        for reaction, flavours in groups.items()
        if recursion_of(reaction, joins).goals
    )
    if not found:
        expected = f"expected a process with tree diagrams in model {model.name}"
        raise card.error("process.definition", f'{expected}; "{definition.text}" has none')
    return found


def _distinct(reactions: Iterable[Reaction]) -> Iterator[Reaction]:
    """Every final state once, whatever the order of its particles."""
    seen = set()
    for reaction in reactions:
        key = reaction.incoming, frozenset(Counter(reaction.outgoing).items())
        if key not in seen:
            seen.add(key)
            yield reaction


def subprocess_of(group: FlavourGroup, card: Card, model: Model) -> Subprocess:
    """A group with its matrix element: a closed formula where there is a fast one, else a tape."""
    element: MatrixElement | None = closed_form(group.reaction, model)
    if element is None:
        element = tree_amplitude(group, card, model)
    return Subprocess(element, group.flavours)


def tree_amplitude(group: FlavourGroup, card: Card, model: Model) -> TreeAmplitude:
    """The tape of a group, kept in the user's cache directory."""
    return TreeAmplitude(group.reaction, model, card.process.t_channel_widths, TapeCache())
