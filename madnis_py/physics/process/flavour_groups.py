"""Groups of flavours: the partonic processes of a definition that share one matrix element."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from madnis_py.card.card import Card
from madnis_py.physics.definition.definition import Definition
from madnis_py.physics.diagrams.coupling_orders import weighted
from madnis_py.physics.diagrams.flavour_symmetry import FlavourSymmetry
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.recursion import Recursion, recursion_of
from madnis_py.physics.diagrams.vertex_table import vertex_table
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.mirrored import mirror

Legs = tuple[int, ...]
"""PDG codes of the external legs, incoming first."""


@dataclass(frozen=True)
class FlavourGroup:
    """Combinations of flavours that share one matrix element.

    Attributes:
        reaction: the one that the matrix element is built for.
        flavours: legs of each combination.
    """

    reaction: Reaction
    flavours: tuple[Legs, ...]


def flavour_groups(definition: Definition, card: Card, model: Model) -> tuple[FlavourGroup, ...]:
    """Group the reactions of a definition that have tree diagrams by matrix element.

    A step without coupling orders takes the lowest WEIGHTED order that it has in any reaction, as
    MadGraph does: p p > j j has none that needs a W, and z > j j j j no u d~ s c~.

    Raises:
        CardError: no reaction has tree diagrams.
    """
    vertices, reactions = vertex_table(model), definition.reactions(model)
    grouped = _grouped(reactions, model)
    weights = {reaction: _lowest_weights(recursion_of(reaction, vertices)) for reaction in grouped}
    lowest = [min(of_step) for of_step in zip(*filter(None, weights.values()), strict=True)]
    if not lowest:
        expected = f"expected a process with tree diagrams in model {model.name}"
        raise card.error("process.definition", f'{expected}; "{definition.text}" has none')
    return tuple(
        FlavourGroup(reaction, tuple(flavours))
        for reaction, flavours in grouped.items()
        if weights[reaction]
        and all(
            weight == least or step.orders
            for weight, least, step in zip(weights[reaction], lowest, _steps(reaction), strict=True)
        )
    )


def flavours_of(groups: Iterable[FlavourGroup]) -> tuple[Legs, ...]:
    """Legs of every combination of flavours, group by group."""
    return tuple(legs for group in groups for legs in group.flavours)


def reactions_of(groups: Iterable[FlavourGroup]) -> tuple[Reaction, ...]:
    """For every combination of flavours, as `flavours_of`, the one that it has its decays from."""
    return tuple(group.reaction for group in groups for _ in group.flavours)


def _grouped(reactions: Iterable[Reaction], model: Model) -> dict[Reaction, list[Legs]]:
    """The flavours that share a matrix element, by the reaction that it is built for.

    Of reactions that differ in the order of their final particles alone one is counted: the first
    that has a group already, else the first whose mirror image has one, else the first.
    """
    symmetry = FlavourSymmetry.of(model)
    final_states: dict[object, list[Reaction]] = defaultdict(list)
    for reaction in reactions:
        final_states[reaction.content].append(reaction)
    grouped: dict[Reaction, list[Legs]] = {}
    for orders in final_states.values():
        with_group = (one for one in orders if symmetry.representative(one) in grouped)
        with_mirror = (one for one in orders if symmetry.representative(mirror(one)) in grouped)
        counted = next(chain(with_group, with_mirror, orders))
        grouped.setdefault(symmetry.representative(counted), []).append(counted.legs)
    return grouped


def _lowest_weights(step: Recursion) -> tuple[int, ...]:
    """The lowest WEIGHTED orders of a step and its decays, in the order of `_steps`.

    Empty if there are no diagrams.
    """
    if not step.powers:
        return ()
    own = min(map(weighted, step.powers))
    return own, *(
        weight for unit in step.units if unit.decay for weight in _lowest_weights(unit.decay)
    )


def _steps(reaction: Reaction) -> Iterator[Reaction]:
    """A reaction and its decays, in the order in which they are written."""
    yield reaction
    for branch in reaction.outgoing:
        if branch.decay is not None:
            yield from _steps(branch.decay)
