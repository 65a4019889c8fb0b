"""Flavour symmetry: permutations of flavours that leave a model as it is.

Processes that they connect share one matrix element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Vertex

_GENERATIONS = (((1, 2), (3, 4)), ((11, 12), (13, 14)))
"""Pairs of generations, as PDG codes, whose exchange may be a symmetry."""


@dataclass(frozen=True)
class FlavourSymmetry:
    """The exchanges of generations that change no mass, width or coupling.

    Attributes:
        permutations: PDG code -> PDG code for those that change, signs included; the identity is
            one of them.
    """

    permutations: tuple[Mapping[int, int], ...]

    @classmethod
    def of(cls, model: Model) -> FlavourSymmetry:
        """The symmetry of a model with the values of its parameters."""
        permutations: list[dict[int, int]] = [{}]
        known_codes = set(model.pdg_of.values())
        vertices = {_content(vertex, {}, model) for vertex in model.vertices}
        for first, second in _GENERATIONS:
            pairs = [*zip(first, second, strict=True), *zip(second, first, strict=True)]
            exchange = {sign * a: sign * b for a, b in pairs for sign in (1, -1)}
            if not exchange.keys() <= known_codes:
                continue
            same_particles = all(
                model.mass(a) == model.mass(b) and model.width(a) == model.width(b)
                for a, b in exchange.items()
            )
            exchanged = {_content(vertex, exchange, model) for vertex in model.vertices}
            if same_particles and exchanged == vertices:
                permutations += [{**known, **exchange} for known in permutations]
        return cls(tuple(permutations))

    def representative(self, reaction: Reaction) -> Reaction:
        """The first of all reactions that have the same matrix element by this symmetry.

        Where the incoming particles are exchanged it is the same one with its incoming particles
        exchanged: their order is the last that the first reaction is chosen by.
        """

        def key(one: Reaction) -> tuple[object, ...]:
            incoming = [(abs(pdg), pdg) for pdg in one.incoming]
            return sorted(incoming), [(abs(pdg), pdg) for pdg in one.final], incoming

        return min((_image(reaction, permutation) for permutation in self.permutations), key=key)


def _content(vertex: Vertex, exchange: Mapping[int, int], model: Model) -> tuple[object, ...]:
    particles = tuple(
        exchange.get(pdg, pdg) for pdg in (model.pdg_of[name] for name in vertex.particles)
    )
    values = tuple(
        (part.colour, part.lorentz, tuple(model.coupling(text) for text in part.couplings))
        for part in vertex.terms
    )
    return particles, values, vertex.orders, vertex.lacking


def _image(reaction: Reaction, exchange: Mapping[int, int]) -> Reaction:
    branches = tuple(
        replace(
            branch,
            pdg=exchange.get(branch.pdg, branch.pdg),
            decay=branch.decay and _image(branch.decay, exchange),
        )
        for branch in reaction.outgoing
    )
    incoming = tuple(exchange.get(pdg, pdg) for pdg in reaction.incoming)
    restrictions = reaction.restrictions.renamed(exchange)
    return replace(reaction, incoming=incoming, outgoing=branches, restrictions=restrictions)
