"""Vertices of two equal Majorana fermions: their exchange has to leave them as they are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from madnis_py.errors import InputError
from madnis_py.physics.colour.colour_strings import structures_of
from madnis_py.physics.colour.colour_vertices import representation_of
from madnis_py.physics.lorentz.kernel_terms import structure_tensors
from madnis_py.physics.lorentz.tensors import read_backwards
from madnis_py.physics.model.model import Model

_ROUNDING = 1e-9
"""Share of a coupling that rounding may leave of one that vanishes."""

_EXCHANGED = {"1": "2", "2": "1"}


def check_exchange(model: Model, number: int) -> None:
    """Refuse a vertex that is not the same after the exchange of its first two particles.

    Args:
        model: any.
        number: of the vertex; one without two equal Majorana fermions passes.

    Raises:
        InputError: fields that anticommute would leave only a part of it.
    """
    names = model.vertices[number].particles
    pdgs = [model.pdg_of[name] for name in names]
    is_fermion = model.particle(pdgs[0]).spin % 2 == 0
    if not is_fermion or pdgs[0] != pdgs[1] or model.anti(pdgs[0]) != pdgs[0]:
        return
    differences: dict[object, complex] = defaultdict(complex)
    largest = 0.0
    for key, value in _elements(model, number, pdgs, exchanged=False):
        differences[key] += value
        largest = max(largest, abs(value))
    for key, value in _elements(model, number, pdgs, exchanged=True):
        differences[key] -= value
    if any(abs(difference) > _ROUNDING * largest for difference in differences.values()):
        raise InputError(
            f"expected a vertex {' '.join(names)} that is symmetric in both {names[0]}, "
            "which is its own antiparticle; got another one"
        )


def _elements(
    model: Model, number: int, pdgs: Sequence[int], *, exchanged: bool
) -> Iterator[tuple[object, complex]]:
    """Elements of a vertex by colour flow, form factor, and components."""
    spins = tuple(model.particle(pdg).spin for pdg in pdgs)
    representations = tuple(representation_of(model, pdg) for pdg in pdgs)
    places = {place: place for place in range(1, 1 + len(pdgs))}
    for term in model.vertices[number].terms:
        colour, factor = term.colour, term.form_factor
        if exchanged:
            colour = re.sub(r"(?<=[(,])[12](?=[,)])", lambda one: _EXCHANGED[one[0]], colour)
            factor = factor.renumbered(places | {1: 2, 2: 1})
        flows = structures_of(colour, representations)
        tensors = structure_tensors(term.lorentz, spins)
        for tensor, text in zip(tensors, term.couplings, strict=True):
            own = read_backwards(tensor, 0, 1) if exchanged else tensor
            coupling = model.coupling(text)
            for flow, share in flows:
                for entry, value in own.items():
                    element = coupling * complex(value.re, value.im) * float(share)
                    yield (flow, factor, entry), element
