"""Widths of propagators: which have one, by the diagrams, cuts and switches of a card.

A fixed width is needed where a propagator can be on its mass shell, and breaks gauge cancellations
everywhere else: of photons with external particles at low energies, of longitudinal vector bosons
at high ones. Between the incoming particles there is none by default, nor in propagators of
external particles, and of vector bosons that these couple to, that cannot be on their mass shell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from madnis_py.card.process_tables import ProcessTable
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.trees import PropagatorKey, positions
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.mass_limits import MassLimits

_SECOND = 2
"""Bit of the second incoming leg."""

_MOST_NAMED = 3
"""Number of decays that a warning names; ", ..." stands for more."""


@dataclass(frozen=True)
class Widths:
    """Propagators of a matrix element whose width is not simply that of their particle.

    Attributes:
        zero: without a width.
        kept: of external particles, with a width since they can be on their mass shell.
        off_shell: required by a decay chain, but never on their mass shell.
    """

    zero: frozenset[PropagatorKey]
    kept: tuple[PropagatorKey, ...]
    off_shell: tuple[PropagatorKey, ...]


def widths_of(
    reaction: Reaction,
    diagrams: Iterable[Diagram],
    limits: MassLimits,
    model: Model,
    table: ProcessTable,
) -> Widths:
    """The widths that a card and its cuts give to the propagators of a reaction.

    Args:
        reaction: with its decays, whose parents keep their widths.
        diagrams: of the reaction.
        limits: the invariant masses that energy and cuts leave.
        model: masses, widths and vertices.
        table: its t_channel_widths and external_widths, which complex masses need not: with them
            all propagators have widths.
    """
    unstable = {
        (abs(tree.pdg), tree.legs)
        for diagram in diagrams
        for tree in diagram.tree.subtrees()
        if tree.children and tree is not diagram.tree and model.particle(tree.pdg).width
    }
    lines = sorted(unstable)
    external = {abs(pdg) for pdg in reaction.legs}
    related = set() if table.external_widths else external | _coupled_vectors(external, model)
    exchanged = {line for line in lines if len(reaction.incoming) == 2 and line[1] & _SECOND}
    required = {(abs(decay.pdg), sum(1 << leg for leg in decay.legs)) for decay in reaction.decays}
    resonant = required | {
        line
        for line in {*lines} - exchanged
        if _reaches_pole(line, limits, model) and not _goes_on(line, reaction)
    }
    off_shell = (line for line in sorted(required) if not _reaches_pole(line, limits, model))
    if model.complex_masses:
        return Widths(frozenset(), (), tuple(off_shell))
    zero = {line for line in lines if line[0] in related and line not in resonant}
    if not table.t_channel_widths:
        zero |= exchanged
    kept = (
        line
        for line in lines
        if line in resonant and line[0] in related & external and model.width(line[0]) > 0
    )
    return Widths(frozenset(zero), tuple(kept), tuple(off_shell))


def _coupled_vectors(particles: set[int], model: Model) -> set[int]:
    """Vector bosons that meet some of these at a vertex of three, which ties their masses."""
    triple = (
        vertex for vertex in model.vertices if any(term.lorentz == "VVV" for term in vertex.terms)
    )
    meeting = ({abs(model.pdg_of[name]) for name in vertex.particles} for vertex in triple)
    return {
        pdg
        for one in meeting
        if any(model.particle(k).width for k in one & particles)
        for pdg in one
    }


def _goes_on(line: PropagatorKey, reaction: Reaction) -> bool:
    """Whether a propagator is an external particle off its mass shell, as t* > t g."""
    pdg, legs = line
    n_incoming = len(reaction.incoming)
    everything = (1 << len(reaction.legs)) - (1 << n_incoming)
    emerges = any(abs(reaction.legs[leg]) == pdg for leg in positions(legs))
    enters = pdg in map(abs, reaction.incoming) and (n_incoming == 1 or legs == everything)
    return emerges or enters


def _reaches_pole(line: PropagatorKey, limits: MassLimits, model: Model) -> bool:
    pdg, legs = line
    return limits.reaches_pole(positions(legs), model.mass(pdg), model.width(pdg))


def width_warnings(
    found: Iterable[tuple[Widths, tuple[int, ...]]], model: Model
) -> tuple[str, ...]:
    """Warnings of widths that are kept and of decays off the mass shell, one for each particle.

    Args:
        found: widths of each matrix element, with the PDG codes of its legs.
        model: for the names of particles.
    """
    found = tuple(found)
    kept = _products(((line, legs) for widths, legs in found for line in widths.kept), model)
    off_shell = _products(
        ((line, legs) for widths, legs in found for line in widths.off_shell), model
    )
    lost = "this breaks gauge cancellations by terms of order width / mass"
    missing = "diagrams without it, which are left out, matter as much"
    return (
        *(
            f"widths: {name} is an external particle and keeps its width where it decays "
            f"({products}); {lost}"
            for name, products in kept
        ),
        *(
            f"decays: {name} cannot be on its mass shell where it decays ({products}); {missing}"
            for name, products in off_shell
        ),
    )


def complex_mass_warnings(legs: Iterable[int], model: Model) -> tuple[str, ...]:
    """A warning of external particles whose complex mass is not where they are on the mass shell.

    Args:
        legs: PDG codes of external particles.
        model: masses and widths.
    """
    unstable = sorted({abs(pdg) for pdg in legs if model.has_complex_mass(pdg)})
    if not unstable:
        return ()
    names = ", ".join(map(model.particle_name, unstable))
    return (
        f"complex masses: expected external particles without widths; got {names} on the real mass "
        "shell, which breaks gauge cancellations by terms of order width / mass; let them decay by "
        "diagrams",
    )


def _products(
    lines: Iterable[tuple[PropagatorKey, tuple[int, ...]]], model: Model
) -> Iterator[tuple[str, str]]:
    """Names of the particles of propagators, each with its decay products as text."""
    decays: dict[int, list[str]] = {}
    for (pdg, mask), legs in lines:
        decays.setdefault(pdg, []).append(
            " ".join(model.particle_name(legs[leg]) for leg in positions(mask))
        )
    for pdg, products in decays.items():
        different = list(dict.fromkeys(products))
        rest = ", ..." if len(different) > _MOST_NAMED else ""
        yield model.particle_name(pdg), ", ".join(different[:_MOST_NAMED]) + rest
