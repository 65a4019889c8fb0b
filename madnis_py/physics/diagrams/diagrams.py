"""All tree diagrams of a process, from the vertices of a model.

Every particle at a vertex is taken as incoming: an incoming leg enters as itself, an outgoing one
as its antiparticle, and a propagator that collects the legs S enters the next vertex as one
particle. Sets of legs are bit masks, bit k being the leg at position k, incoming legs first.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations, product

from madnis_py.errors import InputError
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Structure

Powers = tuple[int, int]
"""Powers of the strong and of the electroweak coupling."""

QCD_WEIGHT, QED_WEIGHT = 1, 2
"""WEIGHTED = QCD + 2 QED, the order that MadGraph keeps as low as possible where the user names
none."""

MOST_TREES = 300_000
"""More diagrams than these take longer to list than anyone waits; g g > 6 g has fewer, g g > 7 g
more."""


@dataclass(frozen=True)
class Join:
    """One structure of a vertex with all of its particles but one coming from below.

    Attributes:
        vertex: position in `Model.vertices`.
        structure: colour, Lorentz structure and couplings.
        slots: position inside the vertex of each particle from below.
        out: position of the remaining one.
        pdg: what goes on, as an incoming particle of the next vertex.
        powers: of the couplings.
    """

    vertex: int
    structure: Structure
    slots: tuple[int, ...]
    out: int
    pdg: int
    powers: Powers


class Joins:
    """The vertices of a model by the particles that meet there.

    Args:
        model: particles and vertices.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._by_particles: dict[tuple[int, ...], list[Join]] = defaultdict(list)
        for number, vertex in enumerate(model.vertices):
            pdg = [model.pdg_of[name] for name in vertex.particles]
            for out in range(len(pdg)):
                if pdg[out] not in pdg[:out]:  # equal particles of a vertex are interchangeable
                    self._enter(number, pdg, out)

    def _enter(self, number: int, pdg: Sequence[int], out: int) -> None:
        vertex = self.model.vertices[number]
        rest = [slot for slot in range(len(pdg)) if slot != out]
        assignments = {tuple(pdg[slot] for slot in slots): slots for slots in permutations(rest)}
        for particles, slots in assignments.items():
            for structure in vertex.structures:
                join = Join(number, structure, slots, out, self.model.anti(pdg[out]), vertex.orders)
                self._by_particles[particles].append(join)

    def meeting(self, particles: tuple[int, ...]) -> Sequence[Join]:
        """What can become of particles that meet, all incoming, in this order."""
        return self._by_particles.get(particles, ())

    def turned(self, join: Join, slots: tuple[int, ...], out: int) -> Join:
        """The same vertex with another particle going on."""
        pdg = self.model.pdg_of[self.model.vertices[join.vertex].particles[out]]
        return Join(join.vertex, join.structure, slots, out, self.model.anti(pdg), join.powers)


@dataclass(frozen=True, eq=False)
class Tree:
    """A part of a diagram: external legs that become one particle.

    Attributes:
        legs: bit mask.
        pdg: the particle, as incoming at the next vertex.
        powers: of the couplings inside.
        join: the last vertex; None for an external leg.
        children: what meets there.
        shape: equal for trees that differ in the structures of their vertices alone.
    """

    legs: int
    pdg: int
    powers: Powers
    join: Join | None = None
    children: tuple[Tree, ...] = ()

    @cached_property
    def shape(self) -> object:
        """A key; see above."""
        return (
            self.legs,
            self.pdg,
            self.join and self.join.vertex,
            tuple(child.shape for child in self.children),
        )

    def subtrees(self) -> Iterator[Tree]:
        """All trees inside, this one included, external legs too."""
        yield self
        for child in self.children:
            yield from child.subtrees()

    @property
    def n_legs(self) -> int:
        """How many external legs it holds."""
        return self.legs.bit_count()


@dataclass(frozen=True)
class Diagram:
    """One Feynman diagram.

    Attributes:
        amplitudes: its trees, rooted at leg 0, one per choice of structures in four-point vertices
            that have several.
    """

    amplitudes: tuple[Tree, ...]

    @property
    def tree(self) -> Tree:
        """The diagram, rooted at leg 0."""
        return self.amplitudes[0]

    @property
    def powers(self) -> Powers:
        """Powers of the strong and of the electroweak coupling."""
        return self.tree.powers

    @property
    def propagators(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """(|PDG code|, positions of the legs on the side without leg 0) of every propagator."""
        inside = [
            tree for tree in self.tree.subtrees() if tree.join is not None and tree is not self.tree
        ]
        return tuple(sorted((abs(tree.pdg), positions(tree.legs)) for tree in inside))

    @property
    def max_vertex(self) -> int:
        """The largest number of particles that meet at a vertex."""
        return max(1 + len(tree.children) for tree in self.tree.subtrees() if tree.children)


def positions(legs: int) -> tuple[int, ...]:
    """The positions of a set of legs, ascending."""
    return tuple(position for position in range(legs.bit_length()) if legs >> position & 1)


@dataclass(frozen=True)
class Unit:
    """What takes part in one step of a process as a whole: an external leg, or the decay products of a particle.

    Attributes:
        legs: bit mask.
        pdg: the particle, as incoming at a vertex.
        decay: the step that makes it; None for an external leg.
    """

    legs: int
    pdg: int
    decay: Recursion | None = None

    @property
    def powers(self) -> tuple[Powers, ...]:
        """The powers of couplings that its decay may bring."""
        return ((0, 0),) if self.decay is None else self.decay.totals


@dataclass(frozen=True)
class Field:
    """A particle that a set of units can become.

    Attributes:
        pdg: as incoming at the next vertex.
        powers: of the couplings of this step.
        inner: of the couplings of the decays inside.
    """

    pdg: int
    powers: Powers
    inner: Powers

    @property
    def total(self) -> Powers:
        """Powers of all couplings inside."""
        return add(self.powers, self.inner)


def add(a: Powers, b: Powers) -> Powers:
    """Powers of a product."""
    return a[0] + b[0], a[1] + b[1]


@dataclass(frozen=True)
class Meeting:
    """One way to make a field from fields of disjoint sets of units."""

    field: Field
    join: Join
    parts: tuple[tuple[int, Field], ...]  # (units, field), ordered by the lowest unit


class Recursion:
    """A process, or one decay of it: which fields its units can form, and how.

    Args:
        joins: the vertices of the model.
        units: bit k of the sets below means units[k].
        orders: highest powers "QCD", "QED", "WEIGHTED"; the lowest possible WEIGHTED where it is
            empty.
        excluded: |PDG code| of particles that may not propagate.
        root: for a decay, the particle that the units become, as incoming at the next vertex.

    Attributes:
        totals: powers of all couplings of the amplitude, ascending; empty if there is no diagram.
    """

    def __init__(
        self,
        joins: Joins,
        units: tuple[Unit, ...],
        orders: tuple[tuple[str, int], ...] = (),
        excluded: tuple[int, ...] = (),
        root: int | None = None,
    ) -> None:
        self.joins, self.units = joins, units
        self._highest = dict(orders)
        self._excluded = {sign * pdg for pdg in excluded for sign in (1, -1)}
        self.everything = (1 << len(units)) - 1
        self._meetings: dict[int, dict[Field, list[Meeting]]] = {}
        self._trees: dict[tuple[int, Field], list[Tree]] = {}
        self._counts: dict[tuple[int, Field], int] = {}
        self._end = self.everything if root is not None else self.everything ^ 1
        self._root = root if root is not None else joins.model.anti(units[0].pdg)
        self.goals = self._find_goals()
        self.totals = tuple(sorted({goal.total for goal in self.goals}))

    def legs(self, units: int) -> int:
        """The external legs of a set of units."""
        return sum(self.units[k].legs for k in positions(units))

    def fields(self, units: int) -> Sequence[Field]:
        """What a set of units can become."""
        if units.bit_count() == 1:
            unit = self.units[units.bit_length() - 1]
            return [Field(unit.pdg, (0, 0), inner) for inner in unit.powers]
        return list(self.meetings(units))

    def meetings(self, units: int) -> dict[Field, list[Meeting]]:
        """How a set of two units or more becomes each of its fields."""
        if units not in self._meetings:
            found: dict[Field, list[Meeting]] = defaultdict(list)
            for parts in _partitions(units, self.largest_vertex):
                for meeting in self._meet(parts):
                    found[meeting.field].append(meeting)
            self._meetings[units] = {
                field: ways
                for field, ways in found.items()
                if units == self._end or field.pdg not in self._excluded
            }
        return self._meetings[units]

    @cached_property
    def largest_vertex(self) -> int:
        """The largest number of particles that meet at a vertex of the model."""
        return max(len(vertex.particles) for vertex in self.joins.model.vertices)

    def _meet(self, parts: tuple[int, ...]) -> Iterator[Meeting]:
        for fields in product(*(self.fields(part) for part in parts)):
            below = (0, 0)
            inner = (0, 0)
            for field in fields:
                below, inner = add(below, field.powers), add(inner, field.inner)
            for join in self.joins.meeting(tuple(field.pdg for field in fields)):
                powers = add(below, join.powers)
                if self._allowed(powers):
                    yield Meeting(
                        Field(join.pdg, powers, inner), join, tuple(zip(parts, fields, strict=True))
                    )

    def _allowed(self, powers: Powers) -> bool:
        orders = {"QCD": powers[0], "QED": powers[1], "WEIGHTED": _weight(powers)}
        return all(orders[name] <= highest for name, highest in self._highest.items())

    def _find_goals(self) -> tuple[Field, ...]:
        """The fields that close the amplitude with the first unit, or are the root of a decay."""
        goals = [field for field in self.fields(self._end) if field.pdg == self._root]
        if not self._highest and goals:
            lowest = min(_weight(goal.powers) for goal in goals)
            goals = [goal for goal in goals if _weight(goal.powers) == lowest]
        return tuple(goals)

    def trees(self, units: int, field: Field) -> list[Tree]:
        """All trees in which a set of units becomes a field."""
        key = units, field
        if key not in self._trees:
            self._trees[key] = list(self._grow(units, field))
        return self._trees[key]

    def _grow(self, units: int, field: Field) -> Iterator[Tree]:
        if units.bit_count() == 1:
            unit = self.units[units.bit_length() - 1]
            if unit.decay is None:
                yield Tree(unit.legs, unit.pdg, (0, 0))
            else:
                yield from (tree for tree in unit.decay.final_trees() if tree.powers == field.inner)
            return
        legs = self.legs(units)
        for meeting in self.meetings(units).get(field, ()):
            for children in product(*(self.trees(part, below) for part, below in meeting.parts)):
                yield Tree(legs, field.pdg, field.total, meeting.join, children)

    def final_trees(self) -> list[Tree]:
        """All amplitudes, rooted at the first unit or at the decaying particle.

        Raises:
            InputError: there are more than can be handled.
        """
        count = sum(self.count(self._end, goal) for goal in self.goals)
        if count > MOST_TREES:
            raise InputError(
                f"process.definition: expected at most {MOST_TREES} diagrams of one process; got {count}"
            )
        return [tree for goal in self.goals for tree in self.trees(self._end, goal)]

    def count(self, units: int, field: Field) -> int:
        """How many trees there are in which a set of units becomes a field."""
        key = units, field
        if key not in self._counts:
            self._counts[key] = self._counted(units, field)
        return self._counts[key]

    def _counted(self, units: int, field: Field) -> int:
        if units.bit_count() > 1:
            ways = self.meetings(units).get(field, ())
            return sum(
                math.prod(self.count(part, below) for part, below in way.parts) for way in ways
            )
        decay = self.units[units.bit_length() - 1].decay
        if decay is None:
            return 1
        return sum(
            decay.count(decay._end, goal) for goal in decay.goals if goal.total == field.inner
        )


def recursion_of(reaction: Reaction, joins: Joins) -> Recursion:
    """The steps of a reaction: its core, with a step inside for every decay."""
    units = [Unit(1 << position, pdg) for position, pdg in enumerate(reaction.incoming)]
    units += _outgoing_units(reaction, joins, len(units))
    return Recursion(joins, tuple(units), reaction.orders, reaction.excluded)


def _outgoing_units(reaction: Reaction, joins: Joins, first: int) -> list[Unit]:
    """The outgoing particles of a reaction, their legs numbered from `first` on."""
    units = []
    for branch in reaction.outgoing:
        pdg = joins.model.anti(branch.pdg)
        if branch.decay is None:
            units.append(Unit(1 << first, pdg))
            first += 1
        else:
            products = _outgoing_units(branch.decay, joins, first)
            decay = Recursion(
                joins, tuple(products), branch.decay.orders, branch.decay.excluded, root=pdg
            )
            units.append(Unit(sum(one.legs for one in products), pdg, decay))
            first += sum(one.legs.bit_count() for one in products)
    return units


def diagrams_of(step: Recursion) -> tuple[Diagram, ...]:
    """The diagrams of a process, each with its amplitudes."""
    by_shape: dict[object, list[Tree]] = defaultdict(list)
    for tree in step.final_trees():
        by_shape[tree.shape].append(tree)
    return tuple(Diagram(tuple(trees)) for trees in by_shape.values())


def _weight(powers: Powers) -> int:
    return QCD_WEIGHT * powers[0] + QED_WEIGHT * powers[1]


def _partitions(units: int, largest_vertex: int) -> Iterator[tuple[int, ...]]:
    """Unordered partitions of a set into two to `largest_vertex` - 1 parts, each ordered by the lowest element."""

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

    for parts in range(2, min(largest_vertex, units.bit_count() + 1)):
        yield from split(units, parts)
