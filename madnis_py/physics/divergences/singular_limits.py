"""Limits in which the square of a tree amplitude has no integral; see docs/divergences.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.trees import Tree, positions
from madnis_py.physics.model.model import Model

INCOMING = 0b11
"""Bit mask of the two incoming legs."""

_SCALAR, _VECTOR = 1, 3
"""Spins as 2 s + 1."""

Kind = Literal["soft", "beam", "collinear", "energy"]


@dataclass(frozen=True)
class SingularLimit:
    """A limit of momenta in which massless propagators diverge, and their square has no integral.

    Attributes:
        kind: "soft", the momenta of the legs vanish; "beam", they become parallel to one of the
            incoming ones; "collinear", they become parallel to each other; "energy", the invariant
            mass of all of them vanishes.
        legs: positions of the particles, ascending.
    """

    kind: Kind
    legs: tuple[int, ...]


def singular_limits_of(
    diagrams: Iterable[Diagram], legs: Sequence[int], model: Model
) -> dict[SingularLimit, tuple[int, ...]]:
    """The limits in which the squares of diagrams have no integral, whatever the cuts.

    Args:
        diagrams: of a reaction with two incoming particles.
        legs: PDG codes, incoming first.
        model: masses and spins.

    Returns:
        SingularLimit -> |PDG codes| of the propagators that diverge there.
    """
    search = _LimitSearch(legs, model)
    found: dict[SingularLimit, tuple[int, ...]] = {}
    for diagram in diagrams:
        for limit, line in search.limits(diagram):
            known = found.setdefault(limit, (line,))
            found[limit] = known if line in known else (*known, line)
    return found


class _LimitSearch:
    """Finds the limits of diagrams.

    Every limit of several propagators contains one in which particles leave an external leg, as a
    cluster that only massless lines hold together: along the beam, softly, or as a single particle
    that is parallel to the leg.

    Args:
        legs: PDG codes, incoming first.
        model: masses and spins.
    """

    def __init__(self, legs: Sequence[int], model: Model) -> None:
        self._legs, self._model = legs, model
        self._massless: dict[Tree, bool] = {}

    def limits(self, diagram: Diagram) -> Iterator[tuple[SingularLimit, int]]:
        """Limits of one diagram with a propagator that diverges there."""
        for leg, cluster, line in _emissions(diagram.tree):
            if not self._is_massless(cluster):
                continue
            if self._is_soft(cluster, leg, line):
                yield SingularLimit("soft", positions(cluster.legs)), line
            if self._model.mass(line) > 0 or self._model.mass(self._legs[leg]) > 0:
                continue
            if leg < 2:
                yield SingularLimit("beam", positions(cluster.legs)), line
            elif not cluster.children:
                yield SingularLimit("collinear", positions(cluster.legs | 1 << leg)), line
        if self._is_massless(diagram.tree):
            propagators = (abs(child.pdg) for child in diagram.tree.children if child.children)
            line = next(propagators, abs(diagram.tree.pdg))
            yield SingularLimit("energy", tuple(range(2, len(self._legs)))), line

    def _is_massless(self, tree: Tree) -> bool:
        """Whether all lines of a part of a diagram are massless, its own included."""
        if tree not in self._massless:
            massless = self._model.mass(tree.pdg) == 0
            self._massless[tree] = massless and all(map(self._is_massless, tree.children))
        return self._massless[tree]

    def _is_soft(self, cluster: Tree, leg: int, line: int) -> bool:
        """Whether a leg radiates a cluster as 1 / (p.k).

        Clusters that do are bosons, of the scalars those that need no flip of chirality.
        """
        mass = self._model.mass(self._legs[leg])
        spin = self._model.particle(cluster.pdg).spin
        return self._model.mass(line) == mass and (
            spin == _VECTOR or (spin == _SCALAR and mass > 0)
        )


def _emissions(tree: Tree) -> Iterator[tuple[int, Tree, int]]:
    """Emissions from external legs at vertices of three lines.

    Each is the leg, the cluster of final particles that leaves it, and |PDG code| of the line that
    goes on.
    """
    for vertex in tree.subtrees():
        if len(vertex.children) != 2:
            continue
        for cluster, other in (vertex.children, vertex.children[::-1]):
            if cluster.legs & INCOMING:
                continue
            if vertex is tree and other.children:
                yield 0, cluster, abs(other.pdg)
            elif vertex is not tree and not other.children:
                yield other.legs.bit_length() - 1, cluster, abs(vertex.pdg)
