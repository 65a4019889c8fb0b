"""Spectrum of a model in SLHA, from which a shower knows new particles and their decays.

hep-ph/0311123 has blocks MASS and DECAY, arXiv:0712.3311 QNUMBERS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from madnis_py.errors import InputError
from madnis_py.physics.decays.decay_modes import two_body_modes
from madnis_py.physics.decays.partial_widths import DecayTable, decay_table
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Particle

_TOP, _HIGGS = 6, 25
"""Known particles that may be heavier than new ones; showers know the others best."""


def spectrum(model: Model, produced: Iterable[int]) -> str:
    """The particles of a model that a shower does not know, as SLHA.

    Masses are those of all new particles, of the top quark and of the Higgs boson. Decays at lowest
    order are those of what is produced and new, and of what comes out of them; a known particle has
    them if one of its products is new. The width is the model's, also where decays add up to
    another one. Particles without a width have no decays, nor have those with a decay by a vertex
    that is not computed.

    Args:
        model: its particles, masses, widths and couplings.
        produced: PDG codes.
    """
    rows = [row for row in model.particles if _is_new(row.pdg)]
    heavy = [*rows, *(model.particle(pdg) for pdg in (_TOP, _HIGGS) if model.has(pdg))]
    parts = [
        "BLOCK MASS\n",
        *(_mass(row, model) for row in sorted(heavy, key=lambda row: row.pdg) if row.mass),
        *map(_quantum_numbers, rows),
        *_decays(model, produced),
    ]
    return "\n" + "".join(parts)


def _is_new(pdg: int) -> bool:
    return abs(pdg) > _HIGGS


def _mass(row: Particle, model: Model) -> str:
    """An entry with its sign, as SLHA has it for neutralinos."""
    return f"   {row.pdg} {model[row.mass]:.10e} # {row.name}\n"


def _quantum_numbers(row: Particle) -> str:
    names = row.name if row.name == row.antiname else f"{row.name} {row.antiname}"
    entries = (
        (f"{round(3 * row.charge)}", "3 times the charge"),
        (f"{row.spin}", "2 s + 1"),
        (f"{row.colour}", "colour"),
        (f"{int(row.name != row.antiname)}", "1 if it has an antiparticle"),
    )
    lines = (f"   {place} {number} # {what}\n" for place, (number, what) in enumerate(entries, 1))
    return f"BLOCK QNUMBERS {row.pdg} # {names}\n{''.join(lines)}"


def _decays(model: Model, produced: Iterable[int]) -> Iterator[str]:
    """Blocks DECAY of particles, and of what comes out of them."""
    waiting, seen = [*produced], set[int]()
    while waiting:
        pdg = abs(waiting.pop(0))
        if pdg in seen or not _decays_to_new(pdg, model):
            continue
        seen.add(pdg)
        table, comment = DecayTable(pdg, ()), ""
        if model.width(pdg):
            try:
                table = decay_table(pdg, model)
            except InputError as error:  # by a vertex that is not computed: no table, not a part
                comment = f"# no decays: {error}\n"
        waiting.extend(code for one in table.partial for code in one.products)
        yield comment + table.slha(model, model.width(pdg))


def _decays_to_new(pdg: int, model: Model) -> bool:
    """Whether a shower does not know the decays of a particle."""
    if pdg not in (_TOP, _HIGGS):
        return _is_new(pdg)
    return any(_is_new(one) for mode in two_body_modes(pdg, model) for one in mode)
