"""The partonic processes of a definition: which flavours share which matrix element."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from madnis_py.card.card import Card
from madnis_py.physics.amplitudes.drell_yan import closed_form
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.diagrams.coupling_powers import weighted
from madnis_py.physics.diagrams.definition import Definition
from madnis_py.physics.diagrams.flavour_symmetry import FlavourSymmetry
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.recursion import Recursion, recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.mirrored import Mirrored, mirror
from madnis_py.physics.process.providers import Wanted, provided


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

    A step without coupling orders takes the lowest WEIGHTED order that it has in any reaction, as
    MadGraph does: p p > j j has none that needs a W, and z > j j j j no u d~ s c~.

    Raises:
        CardError: none of them has.
    """
    collected = _Groups(FlavourSymmetry.of(model))
    for orderings in _same_final_state(definition.reactions(model)):
        collected.add(orderings)
    vertices = VertexTable(model)
    weights = {
        reaction: _lowest_weights(recursion_of(reaction, vertices))
        for reaction in collected.flavours
    }
    lowest = [min(of_step) for of_step in zip(*filter(None, weights.values()), strict=True)]
    if not lowest:
        expected = f"expected a process with tree diagrams in model {model.name}"
        raise card.error("process.definition", f'{expected}; "{definition.text}" has none')
    return tuple(
        FlavourGroup(reaction, tuple(flavours))
        for reaction, flavours in collected.flavours.items()
        if weights[reaction] and all(map(_is_kept, weights[reaction], lowest, _steps(reaction)))
    )


def _steps(reaction: Reaction) -> Iterator[Reaction]:
    """A reaction and its decays, in the order in which they are written."""
    yield reaction
    for branch in reaction.outgoing:
        if branch.decay is not None:
            yield from _steps(branch.decay)


def _lowest_weights(step: Recursion) -> tuple[int, ...]:
    """The lowest WEIGHTED orders of a step and its decays, in the order of `_steps`; () if there are no diagrams."""
    if not step.goals:
        return ()
    own = min(weighted(goal.powers) for goal in step.goals)
    return own, *(
        weight for unit in step.units if unit.decay for weight in _lowest_weights(unit.decay)
    )


def _is_kept(weight: int, lowest: int, step: Reaction) -> bool:
    return weight == lowest or bool(step.orders)


class _Groups:
    """Reactions by what is the same for all that share a matrix element.

    Args:
        symmetry: of the model.

    Attributes:
        flavours: reaction that a matrix element is built for -> flavours that share it.
    """

    def __init__(self, symmetry: FlavourSymmetry) -> None:
        self._symmetry = symmetry
        self.flavours: dict[Reaction, list[tuple[int, ...]]] = {}

    def add(self, orderings: Sequence[Reaction]) -> None:
        """Take the first order of the final particles that has a group, else whose mirror image has one, else any."""
        for known in (self._has_group, self._has_mirror):
            for reaction in orderings:
                if known(reaction):
                    return self._enter(reaction)
        return self._enter(orderings[0])

    def _has_group(self, reaction: Reaction) -> bool:
        return self._symmetry.representative(reaction) in self.flavours

    def _has_mirror(self, reaction: Reaction) -> bool:
        return self._has_group(mirror(reaction))

    def _enter(self, reaction: Reaction) -> None:
        self.flavours.setdefault(self._symmetry.representative(reaction), []).append(reaction.legs)


def _same_final_state(reactions: Iterable[Reaction]) -> Iterable[list[Reaction]]:
    """Reactions that differ in the order of their final particles alone; only one of them is to be counted."""
    found: dict[object, list[Reaction]] = defaultdict(list)
    for reaction in reactions:
        found[reaction.content].append(reaction)
    return found.values()


def provided_subprocess(
    group: FlavourGroup,
    own: Callable[[], MatrixElement],
    card: Card,
    model: Model,
    place: int,
    names: tuple[str, ...],
) -> Subprocess:
    """A group with the matrix element of the provider that a card names.

    Args:
        group: the flavours.
        own: makes our matrix element.
        card: names the provider.
        model: of the card.
        place: position among the groups that need a matrix element of their own.
        names: of those, for people.

    Raises:
        CardError: the provider is unknown or cannot serve the card.
    """
    wanted = Wanted(group.reaction, group.flavours, card, model, place, names, own)
    return Subprocess(provided(wanted), group.flavours)


def mirrored_subprocess(
    group: FlavourGroup, element: MatrixElement, columns: Sequence[int]
) -> Subprocess:
    """A group by the matrix element of the one with exchanged incoming particles; see `Mirrored`."""
    return Subprocess(Mirrored(element, columns), group.flavours)


def has_closed_form(group: FlavourGroup, card: Card, model: Model) -> bool:
    """Whether a closed formula of ours is its matrix element, which then is not worth sharing."""
    return card.process.matrix_element is None and closed_form(group.reaction, model) is not None
