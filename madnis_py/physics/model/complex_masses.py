"""Complex-mass scheme: mu^2 = M^2 - i M Gamma wherever the mass of an unstable particle is.

A. Denner, S. Dittmaier, M. Roth and D. Wackeroth, hep-ph/9904472; A. Denner, S. Dittmaier, M. Roth
and L. Wieders, hep-ph/0505042. Whatever is an identity in the parameters, gauge invariance of
amplitudes for one, stays one where they are complex.

Inputs are real masses and widths. A mass that follows from other parameters, as M_W from M_Z,
alpha and G_F, has the value that they give and is an input from there on: G_F, which nothing else
depends on, becomes complex in its place. Yukawa couplings that are equal to a mass become complex
with it. What is conjugated in an expression is conjugated at conjugate masses.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Mapping

from madnis_py.physics.model.expressions import Continuation, Names, Number, names_in, value_of
from madnis_py.physics.model.particles import MASS, Derived, ModelTables

YUKAWA = "YUKAWA"
"""SLHA block of the masses in Yukawa couplings."""

SWITCH = "CMSParam"
"""External parameter that is 1 in this scheme, in models that have it."""

_SAME = 1e-10
"""Relative difference of masses that rounding may leave."""


def complex_masses(tables: ModelTables, real: Mapping[str, Number]) -> dict[str, complex]:
    """Parameters that are masses of unstable particles.

    Args:
        tables: of the model.
        real: name -> value of all parameters, where masses are real.

    Returns:
        name of the parameter -> mu in GeV, with the sign of the mass.

    Raises:
        ValueError: particles of one mass have different widths.
    """
    widths: dict[str, float] = {}
    for row in tables.particles:
        if not row.mass:
            continue
        width = float(real[row.width].real) if row.width else 0.0
        if widths.setdefault(row.mass, width) != width:
            raise ValueError(
                f"expected one width of all particles with the mass {row.mass}, which is to be "
                f"complex; got {widths[row.mass]:g} and {width:g} GeV"
            )
    return {
        name: _complex_mass(float(real[name].real), width)
        for name, width in widths.items()
        if width and real[name]
    }


def _complex_mass(mass: float, width: float) -> complex:
    """The root of M^2 - i M Gamma."""
    return math.copysign(1, mass) * cmath.sqrt(mass**2 - 1j * abs(mass) * width)


def with_complex_masses(tables: ModelTables, real: Names) -> Names:
    """The parameters of a model, external and derived, where masses are complex.

    Args:
        tables: of the model.
        real: its parameters where masses are real.

    Raises:
        ValueError: no such parameters leave the relations of the model as they are; says why.
    """
    replaced: dict[str, Number] = {**complex_masses(tables, real.numbers)}
    replaced |= _yukawa_couplings(tables, real.numbers, replaced)
    masses = {row.mass for row in tables.particles}
    widths = {row.width for row in tables.particles}
    numbers = {**real.numbers, **replaced}
    mirrored = {**real.numbers, **{name: value.conjugate() for name, value in replaced.items()}}
    names = Names(numbers, real.functions, Continuation(mirrored, real.numbers), real.trees)
    changed = {*replaced}
    for one in tables.derived:
        if one.name in widths or not names_in(one.expression) & changed:
            continue
        value = value_of(one.expression, names)
        if one.name not in masses:
            numbers[one.name], mirrored[one.name] = value, value_of(one.expression, names.mirrored)
            changed.add(one.name)
        elif not cmath.isclose(value, numbers[one.name], rel_tol=_SAME):
            _check_free(one, tables)
    return names


def _yukawa_couplings(
    tables: ModelTables, real: Mapping[str, Number], masses: Mapping[str, Number]
) -> dict[str, Number]:
    """Masses in Yukawa couplings that are those of a particle with a complex mass."""
    found = {}
    for one in tables.parameters:
        mass = tables.by_place.get((MASS, one.code)) if one.block == YUKAWA else None
        if mass is not None and mass.name in masses and real[one.name] == real[mass.name]:
            found[one.name] = masses[mass.name]
    return found


def _check_free(mass: Derived, tables: ModelTables) -> None:
    """Refuse a derived mass that no external parameter of its own can make what it is.

    Raises:
        ValueError: all that it follows from is in other masses or couplings as well.
    """
    derived = {one.name: one.expression for one in tables.derived}
    texts = [text for vertex in tables.vertices for text in vertex.couplings]
    texts += [
        text for row in tables.particles if row.propagator for text in row.propagator.expressions
    ]
    used = {name for text in texts for name in names_in(text)} | {
        row.mass for row in tables.particles
    }
    elsewhere = _sources(used - {mass.name}, derived, mass.name)
    own = _sources(names_in(mass.expression), derived, mass.name)
    if not any(one.name in own - elsewhere for one in tables.parameters):
        raise ValueError(
            "expected masses that are parameters, or follow from one that nothing else follows "
            f"from, to make them complex; got {mass.name} = {mass.expression}"
        )


def _sources(names: Iterable[str], derived: Mapping[str, str], stop: str) -> set[str]:
    """Some names and all that they follow from, other than by way of `stop`."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and name != stop:
            found.add(name)
            waiting += names_in(derived[name]) if name in derived else ()
    return found
