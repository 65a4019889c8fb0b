"""Recursion over sets of legs: which fields a set can become, and at which vertices.

A set of units, external legs or the products of a decay, is split in all ways into two or three
parts whose fields meet at a vertex. Fields that no diagram has are never made: `FormedParticles`
tells what all other units can become. `diagrams` writes the trees out as diagrams; the amplitude is
built from the recursion itself (`colour_flows`), which shares what diagrams repeat.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations, product
from operator import sub

from madnis_py.errors import InputError
from madnis_py.physics.diagrams.coupling_orders import (
    OrderLimit,
    Powers,
    SquaredOrders,
    added,
    lowest,
    no_powers,
    of_names,
)
from madnis_py.physics.diagrams.formed_particles import Formed, formed_particles
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.restrictions import UNRESTRICTED, Restrictions
from madnis_py.physics.diagrams.trees import Tree, positions
from madnis_py.physics.diagrams.vertex_table import DirectedVertex, VertexTable

MOST_DIAGRAMS = 300_000
"""Number of diagrams above which listing them takes minutes: g g > 6 g has fewer, g g > 7 g not."""


@dataclass(frozen=True)
class Unit:
    """An external leg, or the decay products of a particle, which act as one in a step.

    Attributes:
        legs: bit mask.
        pdg: the particle, as incoming at a vertex.
        decay: the step that makes it; None for an external leg.
    """

    legs: int
    pdg: int
    decay: Recursion | None = None


@dataclass(frozen=True)
class Field:
    """A particle that a set of units can become.

    Attributes:
        pdg: as incoming at the next vertex.
        powers: of the couplings of this step.
        inner: of the couplings of the decays inside.
        present: PDG codes of the s-channel propagators inside, this one included, that the step may
            require.
    """

    pdg: int
    powers: Powers
    inner: Powers
    present: frozenset[int] = frozenset()

    @property
    def total(self) -> Powers:
        """Powers of all couplings inside."""
        return added(self.powers, self.inner)


@dataclass(frozen=True)
class Meeting:
    """One way to make a field from fields of disjoint sets of units."""

    field: Field
    vertex: DirectedVertex
    parts: tuple[tuple[int, Field], ...]  # (units, field), ordered by the lowest unit


class Recursion:
    """A process, or one decay of it: which fields its units can form, and how.

    Args:
        vertices: those of the model.
        units: bit k of the sets below means units[k].
        orders: limits on the powers of couplings; the lowest possible WEIGHTED if there are none.
        restrictions: on propagators.
        incoming: the set of the units that come in.
        root: for a decay, the particle that the units become, as incoming at the next vertex.

    Attributes:
        everything: the set of all units.
    """

    def __init__(
        self,
        vertices: VertexTable,
        units: tuple[Unit, ...],
        orders: tuple[OrderLimit, ...] = (),
        restrictions: Restrictions = UNRESTRICTED,
        incoming: int = 0,
        root: int | None = None,
    ) -> None:
        self.vertices, self.units = vertices, units
        self._model_orders = vertices.model.orders
        self._nothing = no_powers(self._model_orders)
        self._orders, self._restrictions, self._incoming = orders, restrictions, incoming
        self._excluded = {sign * pdg for pdg in restrictions.excluded for sign in (1, -1)}
        self._required = {pdg for alternative in restrictions.required for pdg in alternative}
        self.everything = (1 << len(units)) - 1
        self._fields: dict[int, tuple[Field, ...]] = {}
        self._meetings: dict[int, dict[Field, list[Meeting]]] = {}
        self._trees: dict[tuple[int, Field], list[Tree]] = {}
        self._counts: dict[tuple[int, Field], int] = {}
        self._end = self.everything if root is not None else self.everything ^ 1
        self._root = root if root is not None else vertices.model.anti(units[0].pdg)
        is_lowest = not (orders or restrictions.leave_out)
        n_external = len(units) + (root is not None)
        self._formed = formed_particles(vertices, orders, is_lowest, n_external)
        formed = self._formed.of(self._particles(self._end))
        ends = {powers for pdg, powers in formed if pdg == self._root and self._allows(powers)}
        self._ends = self._paired(lowest(ends, self._model_orders) if is_lowest else ends)
        self._wanted: dict[int, frozenset[Formed]] = {}

    @property
    def powers(self) -> frozenset[Powers]:
        """The powers of couplings of the amplitude without decays; none if it has no diagram."""
        if not all(map(self._powers_inside, self.units)):
            return frozenset()
        if not self._restrictions.leave_out:
            return self._ends
        return frozenset(goal.powers for goal in self.goals)

    @cached_property
    def goals(self) -> tuple[Field, ...]:
        """Fields that close the amplitude with the first unit, or are the root of a decay.

        None if there is no diagram.
        """
        goals = [field for field in self.fields(self._end) if self._is_goal(field)]
        if self._restrictions.leave_out:
            kept = self._paired({goal.powers for goal in goals})
            goals = [goal for goal in goals if goal.powers in kept]
        if not self._orders and goals:
            kept = lowest({goal.powers for goal in goals}, self._model_orders)
            goals = [goal for goal in goals if goal.powers in kept]
        return tuple(goals)

    @cached_property
    def totals(self) -> tuple[Powers, ...]:
        """Powers of all couplings of the amplitude, ascending."""
        return tuple(sorted({goal.total for goal in self.goals}))

    @cached_property
    def _complete(self) -> set[tuple[Powers, Powers, frozenset[int]]]:
        return {(goal.powers, goal.inner, goal.present) for goal in self.goals}

    def _is_goal(self, field: Field) -> bool:
        required = self._restrictions.required
        return (
            field.pdg == self._root
            and self._allows(field.powers)
            and (not required or any(field.present.issuperset(one) for one in required))
        )

    def _allows(self, powers: Powers) -> bool:
        """Whether an amplitude of this step may have these powers."""
        return all(
            order.squared or order.allows(powers, self._model_orders) for order in self._orders
        )

    def _paired(self, ends: Set[Powers]) -> frozenset[Powers]:
        """The powers that are left if each has another, or itself, to be multiplied with."""
        kept = frozenset(one for one in ends if any(self.interfere(one, two) for two in ends))
        return kept if len(kept) == len(ends) else self._paired(kept)

    def interfere(self, first: Powers, second: Powers) -> bool:
        """Whether the product of amplitudes of these powers of this step is a part of |M|^2."""
        whole = added(first, second)
        return all(order.allows(whole, self._model_orders) for order in self.squared_orders)

    @property
    def squared_orders(self) -> tuple[OrderLimit, ...]:
        """The limits on the powers of couplings in |M|^2."""
        return tuple(order for order in self._orders if order.squared)

    @property
    def selects_products(self) -> bool:
        """Whether |M|^2 has some products of amplitudes and not others."""
        return bool(self.squared_orders)

    def selecting(self, limits: Sequence[OrderLimit]) -> Recursion:
        """The same diagrams, of whose products |M|^2 has those that further limits allow.

        Args:
            limits: on the powers of couplings in |M|^2.
        """
        other = copy(self)
        other.goals, other._orders = self.goals, (*self._orders, *limits)
        return other

    def powers_of_products(self, names: Sequence[str]) -> tuple[SquaredOrders, ...]:
        """The powers of some coupling orders in |M|^2, ascending, without those of decays."""
        products = {
            added(one.powers, two.powers)
            for one in self.goals
            for two in self.goals
            if self.interfere(one.powers, two.powers)
        }
        return tuple(sorted({of_names(one, names, self._model_orders) for one in products}))

    def powers_of_decays(self, names: Sequence[str]) -> tuple[SquaredOrders, ...]:
        """The powers of some coupling orders that the decays of an amplitude have, ascending."""
        inner = {of_names(goal.inner, names, self._model_orders) for goal in self.goals}
        return tuple(sorted(inner))

    @property
    def strong_powers(self) -> set[int]:
        """The powers of g_s in |M|^2."""
        return {
            one.total[0] + two.total[0]
            for one in self.goals
            for two in self.goals
            if self.interfere(one.powers, two.powers)
        }

    def completes(self, field: Field, other: Field) -> bool:
        """Whether a field of some units and one of all others make an amplitude of this step."""
        powers, inner = added(field.powers, other.powers), added(field.inner, other.inner)
        return (
            self.vertices.model.anti(field.pdg) == other.pdg
            and (powers, inner, field.present | other.present) in self._complete
        )

    def s_channel(self, units: int, pdg: int) -> int | None:
        """The particle of a propagator as it goes on towards the outgoing particles.

        Args:
            units: the set on one side of it.
            pdg: the particle that the set becomes, as incoming at the next vertex.

        Returns:
            PDG code; None in the t channel, with one of two incoming particles on either side.
        """
        inside = units & self._incoming
        if inside == self._incoming and inside:
            return pdg
        return None if inside else self.vertices.model.anti(pdg)

    def _is_external(self, units: int) -> bool:
        """Whether what a set of units becomes is an external particle of this step."""
        if units.bit_count() == 1 or units == self._end:
            return True
        return self._end != self.everything and units.bit_count() == len(self.units) - 1

    def legs(self, units: int) -> int:
        """The external legs of a set of units."""
        return sum(self.units[k].legs for k in positions(units))

    @property
    def sets(self) -> range:
        """The sets of units that may become fields."""
        return range(1, self.everything + (self._end == self.everything))

    def fields(self, units: int) -> Sequence[Field]:
        """What a set of units can become."""
        if units not in self._fields:
            self._fields[units] = tuple(self._fields_of(units))
        return self._fields[units]

    def _fields_of(self, units: int) -> Iterable[Field]:
        if units.bit_count() > 1:
            return self.meetings(units)
        unit = self.units[units.bit_length() - 1]
        return (Field(unit.pdg, self._nothing, inner) for inner in self._powers_inside(unit))

    def _powers_inside(self, unit: Unit) -> tuple[Powers, ...]:
        """The powers of couplings that the decay of a unit may bring."""
        return (self._nothing,) if unit.decay is None else unit.decay.totals

    def meetings(self, units: int) -> dict[Field, list[Meeting]]:
        """How a set of two units or more becomes each of its fields."""
        if units not in self._meetings:
            found: dict[Field, list[Meeting]] = defaultdict(list)
            for parts in _partitions(units, self.vertices.most_below):
                if all(map(self.fields, parts)):
                    for meeting in self._meetings_of(parts):
                        found[meeting.field].append(meeting)
            self._meetings[units] = {
                field: ways
                for field, ways in found.items()
                if self._is_external(units) or self._propagates(units, field.pdg)
            }
        return self._meetings[units]

    def _propagates(self, units: int, pdg: int) -> bool:
        if pdg in self._excluded:
            return False
        forbidden = self._restrictions.forbidden
        return not forbidden or self.s_channel(units, pdg) not in forbidden

    def _meetings_of(self, parts: tuple[int, ...]) -> Iterator[Meeting]:
        """Every vertex at which one field of each part meet and make one that is wanted."""
        wanted = self._wanted_of(sum(parts))
        for fields in product(*(self.fields(part) for part in parts)):
            vertices = self.vertices.meeting(tuple(field.pdg for field in fields))
            if not vertices:
                continue
            below = inner = self._nothing
            for field in fields:
                below, inner = added(below, field.powers), added(inner, field.inner)
            for vertex in vertices:
                powers = added(below, vertex.powers)
                if (vertex.pdg, powers) in wanted:
                    present = self._present(sum(parts), vertex.pdg, fields)
                    onward = Field(vertex.pdg, powers, inner, present)
                    yield Meeting(onward, vertex, tuple(zip(parts, fields, strict=True)))

    def _wanted_of(self, units: int) -> frozenset[Formed]:
        """What a set of units should become, so that all others may complete an amplitude."""
        if units not in self._wanted:
            anti = self.vertices.model.anti
            self._wanted[units] = frozenset(
                (anti(pdg), tuple(map(sub, whole, other)))
                for pdg, other in self._formed.of(self._particles_outside(units))
                for whole in self._ends
            )
        return self._wanted[units]

    def _particles(self, units: int) -> list[int]:
        return [self.units[k].pdg for k in positions(units)]

    def _particles_outside(self, units: int) -> list[int]:
        """The external particles of this step that are not in a set of units."""
        others = self._particles(self.everything ^ units)
        return (
            others
            if self._end != self.everything
            else [*others, self.vertices.model.anti(self._root)]
        )

    def _present(self, units: int, pdg: int, fields: Sequence[Field]) -> frozenset[int]:
        """`Field.present` of what fields become."""
        if not self._required:
            return frozenset()
        found = frozenset().union(*(field.present for field in fields))
        own = None if self._is_external(units) else self.s_channel(units, pdg)
        return found | {own} if own in self._required else found

    def trees(self, units: int, field: Field) -> list[Tree]:
        """All trees in which a set of units becomes a field."""
        key = units, field
        if key not in self._trees:
            self._trees[key] = list(self._grown(units, field))
        return self._trees[key]

    def _grown(self, units: int, field: Field) -> Iterator[Tree]:
        if units.bit_count() == 1:
            unit = self.units[units.bit_length() - 1]
            if unit.decay is None:
                yield Tree(unit.legs, unit.pdg, self._nothing)
            else:
                yield from (tree for tree in unit.decay.final_trees() if tree.powers == field.inner)
            return
        legs = self.legs(units)
        off_shell = not self._is_external(units) and (
            self.s_channel(units, field.pdg) in self._restrictions.off_shell
        )
        for meeting in self.meetings(units).get(field, ()):
            for children in product(*(self.trees(part, below) for part, below in meeting.parts)):
                yield Tree(legs, field.pdg, field.total, meeting.vertex, children, off_shell)

    def final_trees(self) -> list[Tree]:
        """All amplitudes, rooted at the first unit or at the decaying particle.

        Raises:
            InputError: there are more than can be handled.
        """
        if self.n_diagrams > MOST_DIAGRAMS:
            raise InputError(
                f"process.definition: expected at most {MOST_DIAGRAMS} diagrams of one process; "
                f"got {self.n_diagrams}"
            )
        self._refuse_lacking()
        return [tree for goal in self.goals for tree in self.trees(self._end, goal)]

    def _refuse_lacking(self) -> None:
        """Refuse diagrams with a vertex that is not computed here."""
        model = self.vertices.model
        if not any(vertex.lacking for vertex in model.vertices):
            return
        for number in sorted(self._vertices_inside()):
            vertex = model.vertices[number]
            if vertex.lacking:
                raise InputError(
                    f"process.definition: a diagram has the vertex of {' '.join(vertex.particles)} "
                    f"of model {model.name}, which needs {vertex.lacking}; it is not computed here"
                )

    def _vertices_inside(self) -> set[int]:
        """Numbers of the vertices of all diagrams, those of decays left out."""
        waiting = [(self._end, goal) for goal in self.goals]
        seen = set(waiting)
        numbers = set()
        while waiting:
            units, field = waiting.pop()
            if units.bit_count() > 1:
                for meeting in self.meetings(units).get(field, ()):
                    numbers.add(meeting.vertex.number)
                    fresh = [part for part in meeting.parts if part not in seen]
                    seen.update(fresh)
                    waiting += fresh
        return numbers

    @property
    def n_diagrams(self) -> int:
        """How many diagrams there are."""
        return sum(self.count(self._end, goal) for goal in self.goals)

    def count(self, units: int, field: Field) -> int:
        """How many diagrams there are in which a set of units becomes a field."""
        key = units, field
        if key not in self._counts:
            decay = self.units[units.bit_length() - 1].decay
            if units.bit_count() > 1:
                ways = self.meetings(units).get(field, ())
                self._counts[key] = sum(
                    math.prod(self.count(part, below) for part, below in parts)
                    for parts, _ in {(way.parts, way.vertex.number) for way in ways}
                )
            elif decay is None:
                self._counts[key] = 1
            else:
                goals = (goal for goal in decay.goals if goal.total == field.inner)
                self._counts[key] = sum(decay.count(decay._end, goal) for goal in goals)
        return self._counts[key]


def recursion_of(reaction: Reaction, vertices: VertexTable) -> Recursion:
    """The steps of a reaction: its core, with a step inside for every decay."""
    units = [Unit(1 << position, pdg) for position, pdg in enumerate(reaction.incoming)]
    units += _outgoing_units(reaction, vertices, len(units))
    incoming = (1 << len(reaction.incoming)) - 1
    return Recursion(vertices, tuple(units), reaction.orders, reaction.restrictions, incoming)


def _outgoing_units(reaction: Reaction, vertices: VertexTable, first: int) -> list[Unit]:
    """The outgoing particles of a reaction, their legs numbered from `first` on."""
    units = []
    for branch in reaction.outgoing:
        pdg = vertices.model.anti(branch.pdg)
        if branch.decay is None:
            units.append(Unit(1 << first, pdg))
            first += 1
        else:
            products = _outgoing_units(branch.decay, vertices, first)
            decay = Recursion(
                vertices, tuple(products), branch.decay.orders, branch.decay.restrictions, root=pdg
            )
            units.append(Unit(sum(one.legs for one in products), pdg, decay))
            first += sum(one.legs.bit_count() for one in products)
    return units


@lru_cache(maxsize=1024)
def _partitions(units: int, most: int) -> tuple[tuple[int, ...], ...]:
    """Unordered partitions of a set into two to `most` parts.

    The parts are in the order of their lowest elements.
    """

    def split(rest: int, parts: int) -> Iterator[tuple[int, ...]]:
        if parts == 1:
            yield (rest,)
            return
        lowest = rest & -rest
        others = positions(rest ^ lowest)
        for size in range(len(others) - parts + 2):
            for chosen in combinations(others, size):
                first = lowest | sum(1 << k for k in chosen)
                yield from ((first, *more) for more in split(rest ^ first, parts - 1))

    sizes = range(2, min(most, units.bit_count()) + 1)
    return tuple(parts for size in sizes for parts in split(units, size))
