"""Groups of flavours: the partonic processes of a definition that share one matrix element."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
    MadGraph does: p p > j j has none that needs a W, and z > j j j j no u d~ s c~. The orders of
    all reactions count, whatever masses the definition is restricted to.

    Raises:
        CardError: no reaction has tree diagrams, or none that has the masses of the definition.
    """
    vertices = vertex_table(model)
    grouped = _grouped(definition, model)
    weights = {reaction: _lowest_weights(recursion_of(reaction, vertices)) for reaction in grouped}
    lowest = [min(of_step) for of_step in zip(*filter(None, weights.values()), strict=True)]
    if not lowest:
        expected = f"expected a process with tree diagrams in model {model.name}"
        raise card.error("process.definition", f'{expected}; "{definition.text}" has none')
    groups = (
        FlavourGroup(reaction, tuple(flavours))
        for reaction, flavours in grouped.items()
        if weights[reaction]
        and all(
            weight == least or step.orders
            for weight, least, step in zip(weights[reaction], lowest, _steps(reaction), strict=True)
        )
    )
    if definition.masses is None:
        return tuple(groups)
    return _of_masses(definition.masses, by_masses(groups, model), card)


def _of_masses(
    masses: tuple[float, ...],
    parts: Mapping[tuple[float, ...], tuple[FlavourGroup, ...]],
    card: Card,
) -> tuple[FlavourGroup, ...]:
    """The groups of some masses of the legs."""
    if masses not in parts:
        known = " or ".join(str([*one]) for one in parts)
        raise card.error("process.masses", f"expected {known}; got {[*masses]}")
    return parts[masses]


def by_masses(
    groups: Iterable[FlavourGroup], model: Model
) -> dict[tuple[float, ...], tuple[FlavourGroup, ...]]:
    """Groups of flavours by the masses of their legs in GeV, the lightest first.

    Phase space is made for one mass of each leg. Of l+ l- l+ l- with massive taus there are three
    parts, 0 0 0 0, 0 0 m m and m m m m: which of equal legs are the taus makes no difference.
    """
    parts: dict[tuple[float, ...], list[FlavourGroup]] = defaultdict(list)
    for group in groups:
        parts[_masses(group.reaction.legs, model)].append(group)
    return {masses: tuple(parts[masses]) for masses in sorted(parts)}


def _masses(legs: Legs, model: Model) -> tuple[float, ...]:
    return tuple(model.mass(pdg) for pdg in legs)


def flavours_of(groups: Iterable[FlavourGroup]) -> tuple[Legs, ...]:
    """Legs of every combination of flavours, group by group."""
    return tuple(legs for group in groups for legs in group.flavours)


def reactions_of(groups: Iterable[FlavourGroup]) -> tuple[Reaction, ...]:
    """For every combination of flavours, as `flavours_of`, the one that it has its decays from."""
    return tuple(group.reaction for group in groups for _ in group.flavours)


def _grouped(definition: Definition, model: Model) -> dict[Reaction, list[Legs]]:
    """The flavours that share a matrix element, by the reaction that it is built for.

    Of reactions that differ in the order of their final particles alone one is counted. Of those
    whose first legs are the lightest it is the first that has a group already, else the first whose
    mirror image has one, else the first.
    """
    representative = cache(FlavourSymmetry.of(model).representative)
    final_states: dict[object, list[Reaction]] = defaultdict(list)
    for reaction in definition.reactions(model):
        final_states[reaction.content].append(reaction)
    grouped: dict[Reaction, list[Legs]] = {}
    several = any(len({*_masses(legs, model)}) > 1 for legs in definition.core.final)
    for every in final_states.values():
        orders = _lightest_first(every, model) if several else every
        with_group = (one for one in orders if representative(one) in grouped)
        with_mirror = (one for one in orders if representative(mirror(one)) in grouped)
        counted = next(chain(with_group, with_mirror, orders))
        grouped.setdefault(representative(counted), []).append(counted.legs)
    return grouped


def _lightest_first(orders: Sequence[Reaction], model: Model) -> Sequence[Reaction]:
    """Of orders of the same particles those with the lightest in front."""
    masses = [_masses(one.legs, model) for one in orders]
    return [one for one, own in zip(orders, masses, strict=True) if own == min(masses)]


def _lowest_weights(step: Recursion) -> tuple[int, ...]:
    """The lowest WEIGHTED orders of a step and its decays, in the order of `_steps`.

    Empty if there are no diagrams.
    """
    if not step.powers:
        return ()
    own = min(weighted(powers, step.vertices.model.orders) for powers in step.powers)
    return own, *(
        weight for unit in step.units if unit.decay for weight in _lowest_weights(unit.decay)
    )


def _steps(reaction: Reaction) -> Iterator[Reaction]:
    """A reaction and its decays, in the order in which they are written."""
    yield reaction
    for branch in reaction.outgoing:
        if branch.decay is not None:
            yield from _steps(branch.decay)
