"""Decay modes of a particle: two products, or three through a particle that is too heavy."""

from __future__ import annotations

from collections.abc import Iterator

from madnis_py.physics.model.model import Model

Products = tuple[int, ...]
"""PDG codes of what a particle decays to."""


def two_body_modes(pdg: int, model: Model) -> tuple[Products, ...]:
    """The pairs that a particle at a vertex of three turns to and that weigh less than it.

    Args:
        pdg: PDG code of the particle.
        model: its vertices and masses.

    Returns:
        In the order of the vertices, particles before antiparticles.
    """
    pairs = (pair for pair in _pairs(pdg, model) if _weight(pair, model) < model.mass(pdg))
    return tuple(dict.fromkeys(tuple(sorted(pair, reverse=True)) for pair in pairs))


def three_body_modes(pdg: int, model: Model) -> tuple[Products, ...]:
    """The decays to a particle and the pair that another one turns to, if all of it is too heavy.

    h > z z is closed for 125 GeV, h > z e+ e- is open. The particle between has a width and decays
    to the pair on its mass shell; it does not emit itself, as in t > t g.

    Args:
        pdg: PDG code of the particle.
        model: its vertices and masses.

    Returns:
        The first one is the spectator.
    """
    found: dict[Products, Products] = {}
    for pair in _pairs(pdg, model):
        if _weight(pair, model) < model.mass(pdg):
            continue
        for spectator, between in (pair, pair[::-1]):
            if abs(between) == abs(pdg) or not model.particle(between).width:
                continue
            for products in two_body_modes(between, model):
                mode = (spectator, *products)
                if _weight(mode, model) < model.mass(pdg):
                    found.setdefault(tuple(sorted(mode)), mode)
    return tuple(found.values())


def _pairs(pdg: int, model: Model) -> Iterator[tuple[int, int]]:
    """What a particle turns to at a vertex of three, whatever it weighs."""
    for vertex in model.vertices:
        codes = [model.pdg_of[name] for name in vertex.particles]
        if len(codes) == 3 and pdg in codes:
            codes.remove(pdg)
            first, second = (model.anti(code) for code in codes)
            yield first, second


def _weight(products: Products, model: Model) -> float:
    return sum(map(model.mass, products))
