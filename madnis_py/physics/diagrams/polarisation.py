"""Polarisation: the helicities of a particle that a definition selects, in MadGraph's letters."""

from __future__ import annotations

import re

from madnis_py import _core
from madnis_py.errors import InputError
from madnis_py.physics.model.model import Model

Polarisation = tuple[int, ...]
"""Selected helicities, twice their value for fermions, ascending; () for all that exist."""

AUXILIARY = _core.AUXILIARY_STATE
"""State of a massive vector off its mass shell beside the three helicities: its propagator is
(q^2 - M^2) q^mu q^nu / (q^2 M^2), arXiv:1912.01725."""

_STATES: dict[str, Polarisation] = {
    "T": (-1, 1), "L": (-1,), "-": (-1,), "R": (1,), "+": (1,), "0": (0,), "A": (AUXILIARY,),
    "-1": (-1,), "1": (1,), "+1": (1,),
}  # fmt: skip
_NAME = re.compile(r"[-+]?\d+|[^,\s]")


def helicity_states(model: Model, pdg: int) -> Polarisation:
    """The helicities of a particle, twice their value for fermions, ascending."""
    massive = model.mass(pdg) != 0
    match model.particle(pdg).spin:
        case 1:
            return (0,)
        case 3:
            return (-1, 0, 1) if massive else (-1, 1)
        case 4:
            return (-3, -1, 1, 3) if massive else (-3, 3)
        case 5:
            return (-2, -1, 0, 1, 2) if massive else (-2, 2)
    return (-1, 1)


def polarisation_of(text: str, pdg: int, decays: bool, model: Model) -> Polarisation:
    """The states that the text in the braces of w+{0T} selects.

    Args:
        text: letters or numbers, several for a sum: 0 longitudinal, T both transverse ones, L and -
            the helicity -1, R and + the helicity +1, A the auxiliary state.
        pdg: PDG code of the particle.
        decays: whether it decays, so that the states are those of its propagator. All helicities of
            a propagator are less than () off the mass shell; those of an external particle are ().
        model: spins and masses.

    Raises:
        InputError: a state that the particle does not have.
    """
    name, existing = model.particle_name(pdg), _physical_states(model, pdg)
    if existing == (0,):
        raise InputError(f"expected no polarisation of {name}, which has no spin; got {{{text}}}")
    if model.particle(pdg).spin > 3:
        raise InputError(f"expected no polarisation of {name}, of spin 3/2 or 2; got {{{text}}}")
    if decays and model.mass(pdg) == 0:
        raise InputError(f"expected a mass of {name}{{{text}}}, which decays; it has none")
    possible = (*existing, AUXILIARY) if decays and 0 in existing else existing
    names = {one: states for one, states in _STATES.items() if set(states) <= set(possible)}
    if model.particle(pdg).spin == 2:
        names.pop("T", None)
    found: set[int] = set()
    for one in _NAME.findall(text.upper()) or [""]:
        if one not in names:
            known = ", ".join(letter for letter in names if "1" not in letter)
            raise InputError(f"expected polarisations of {name} among {known}; got {{{text}}}")
        found.update(names[one])
    return () if found == set(existing) and not decays else tuple(sorted(found))


def _physical_states(model: Model, pdg: int) -> Polarisation:
    """The helicities that a particle has, one for neutrinos."""
    if model.is_left_handed(pdg):
        return (-1,) if pdg > 0 else (1,)
    return helicity_states(model, pdg)
