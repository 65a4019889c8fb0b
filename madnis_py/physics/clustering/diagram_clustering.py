"""Clustering of events back along the diagrams of their process, as MadEvent does it.

The algorithm is in `cpp/clustering`, its rules are in docs/clustering.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.clustering.merging_nodes import MergingNodes
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.model.model import Model

Bools = NDArray[np.bool_]

_BEAMS = 3
"""Bit mask of the incoming legs."""

_FINE = 2.0**20
"""How many times a number goes through [0, 1) while an event turns once around the beams."""


@dataclass(frozen=True)
class ClusteringSettings:
    """Settings of a clustering.

    Attributes:
        max_jet_flavour: quarks up to this PDG code are jets, like gluons (maxjetflavor).
        window: distance from its mass, in widths, within which a resonance is kept (bwcutoff).
        hadrons: whether a beam has parton densities; else measures are those of e+ e- collisions.
        xqcut: smallest kT of a jet in GeV.
        coupling_flavour: quarks up to this PDG code, or that of jets, have vertices whose coupling
            merging evaluates at their own kT (asrwgtflavor).
        merging: whether the weights of merging are wanted.
    """

    max_jet_flavour: int = 4
    window: float = 15.0
    hadrons: bool = True
    xqcut: float = 0.0
    coupling_flavour: int = 5
    merging: bool = False

    def is_jet(self, pdg: int) -> bool:
        """Whether a particle makes a jet."""
        return abs(pdg) <= self.max_jet_flavour or pdg == 21


class DiagramClustering:
    """Clusters the events of some flavours and reads their scales.

    An event is attributed to one of its diagrams in proportion to |M_i|^2, as MadEvent does by
    drawing it in the channel of this diagram. The number that decides is made of the azimuth of the
    event, on which nothing else depends: it goes through [0, 1) 2^20 times in a turn, so that
    scales are a function of momenta.

    Args:
        legs: PDG codes, incoming first.
        diagrams: of these legs.
        model: masses, widths and colours.
        settings: see there.

    Raises:
        InputError: four lines meet in every diagram.
    """

    def __init__(
        self,
        legs: Sequence[int],
        diagrams: Sequence[Diagram],
        model: Model,
        settings: ClusteringSettings,
        flavours: Mapping[int, int] | None = None,
    ) -> None:
        self.columns = [k for k, diagram in enumerate(diagrams) if diagram.max_vertex <= 3]
        if not self.columns:
            raise InputError("clustering: expected a diagram with three lines at every vertex")
        renamed = flavours or {}
        specs = [
            (diagrams[k].powers[0], list(_lines(diagrams[k], model, renamed))) for k in self.columns
        ]
        codes = {abs(pdg) for pdg in legs} | {abs(line[1]) for _, lines in specs for line in lines}
        colours = [1] * (max(codes) + 1)
        for code in codes:
            colours[code] = abs(model.particle(code).colour)
        self._kernel = _core.Clustering(
            legs=list(legs),
            masses=[model.mass(pdg) for pdg in legs],
            colours=colours,
            diagrams=specs,
            max_jet_flavour=settings.max_jet_flavour,
            window=settings.window,
            hadrons=settings.hadrons,
            xqcut=settings.xqcut,
            coupling_flavour=settings.coupling_flavour,
        )

    def scales(self, p: Array, squares: Array) -> tuple[Array, Bools]:
        """The scales of events.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            squares: |M_i|^2 of the diagrams, up to a common factor, float64 (n, n_diagrams).

        Returns:
            mu: factorisation scale of either beam and renormalisation scale in GeV, float64 (n, 3).
            passes: whether no jet is softer than `xqcut`, bool (n,).
        """
        return self._kernel.scales(p, self.attributed(p, squares))

    def nodes(self, p: Array, squares: Array) -> tuple[Array, Bools, MergingNodes]:
        """The scales of events with the nodes that merging gives weights; see `scales`.

        Returns:
            mu: as `scales`.
            passes: as `scales`.
            nodes: of the events.
        """
        found = self._kernel.nodes(p, self.attributed(p, squares))
        mu = found["mu"]
        nodes = MergingNodes(
            mu[:, 3:], found["couplings"], found["lines"], found["evolution"], found["jet_kt"]
        )
        return mu[:, :3].copy(), found["passes"], nodes

    def attributed(self, p: Array, squares: Array) -> NDArray[np.int64]:
        """The diagram of each event, counted among those that events may have, (n,)."""
        edges = np.cumsum(squares[:, self.columns], axis=1)
        below = edges <= (_turned(p) * edges[:, -1])[:, None]
        last = len(self.columns) - 1
        return np.asarray(np.minimum(below.sum(axis=1), last), np.int64)


def _turned(p: Array) -> Array:
    """Numbers in [0, 1) from the azimuth of the first outgoing leg, (n,)."""
    turns = np.arctan2(p[:, 2, 2], p[:, 2, 1]) / (2 * np.pi)
    return np.asarray(np.mod(turns * _FINE, 1.0))


_Line = tuple[int, int, bool, float, float, int]


def _lines(diagram: Diagram, model: Model, renamed: Mapping[int, int]) -> Iterator[_Line]:
    """The internal lines: legs, PDG code, whether it decays, mass, width, daughter of its kind.

    Daughters come first.
    """
    inside = [tree for tree in diagram.tree.subtrees() if tree.children and tree.vertex is not None]
    for tree in sorted(inside, key=lambda one: one.n_legs):
        if tree is diagram.tree:
            continue
        decays, code = not tree.legs & _BEAMS, abs(tree.pdg)
        pdg = model.anti(tree.pdg) if decays else code
        same = [child.legs for child in tree.children if decays and child.pdg == tree.pdg]
        named = renamed.get(code, code)
        signed = named if pdg > 0 else -named
        yield (
            tree.legs,
            signed,
            decays,
            model.mass(code),
            model.width(code),
            same[0] if same else 0,
        )


def carried_flavours(legs: Sequence[int], others: Sequence[int]) -> dict[int, int]:
    """Which |PDG codes| of legs become which, where other flavours stand in their places."""
    return {abs(pdg): abs(other) for pdg, other in zip(legs, others, strict=True)}


def largest_jet_flavour(legs: Sequence[Sequence[int]]) -> int:
    """The quark up to which MadGraph takes quarks for jets: the heaviest in the beams, 4 at least.

    Args:
        legs: PDG codes of all flavours, incoming first.
    """
    incoming = {abs(pdg) for flavours in legs for pdg in flavours[:2]}
    return max([4, *(pdg for pdg in incoming if pdg <= 6)])
