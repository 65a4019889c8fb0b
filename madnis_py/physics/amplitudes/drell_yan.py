"""q q~ -> photon, Z, Z' -> l- l+ with massless fermions: the closed formula, many times faster than a tape."""

from __future__ import annotations

from madnis_py.physics.amplitudes.matrix_element import DrellYan, Mediator
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.model.model import Model

_QUARKS = (1, 2, 3, 4, 5)
_LEPTONS = (11, 13)
_VECTORS = {"a": "photon", "z": "Z", "zp": "Z'"}


def mediator_name(model: Model, pdg: int) -> str:
    """What channels and messages call a neutral vector boson."""
    return _VECTORS.get(model.particle_name(pdg), model.particle_name(pdg))


def mediators(model: Model, quark: int, lepton: int = 11) -> tuple[Mediator, ...]:
    """Photon, Z and, where the model has one, Z' with their couplings to a quark and a charged lepton.

    Args:
        model: where masses, widths and couplings come from.
        quark: PDG code of the quark.
        lepton: PDG code of the lepton.
    """
    return tuple(
        Mediator(
            name=name,
            mass=model.mass(model.pdg_of[vector]),
            width=model.width(model.pdg_of[vector]),
            quark=model.couplings(vector, quark),
            lepton=model.couplings(vector, lepton),
        )
        for vector, name in _VECTORS.items()
        if vector in model.pdg_of
    )


def closed_form(reaction: Reaction, model: Model) -> DrellYan | None:
    """The matrix element of q q~ -> l l through all neutral vectors; None for any other reaction."""
    if not _is_covered(reaction, model):
        return None
    quark, _, lepton, _ = reaction.legs
    legs = ((0, 1) if quark > 0 else (1, 0)) + ((2, 3) if lepton > 0 else (3, 2))
    coupled = [
        one
        for one in mediators(model, abs(quark), abs(lepton))
        if any(one.quark) and any(one.lepton)
    ]
    return DrellYan(coupled, legs) if coupled else None


def _is_covered(reaction: Reaction, model: Model) -> bool:
    if len(reaction.incoming) != 2 or len(reaction.outgoing) != 2 or reaction.excluded:
        return False
    if any(branch.decay is not None for branch in reaction.outgoing):
        return False
    a, b, c, d = reaction.legs
    orders = dict(reaction.orders)
    complete = orders.get("QED", 2) >= 2 and orders.get("WEIGHTED", 4) >= 4
    flavours = a == -b and c == -d and abs(a) in _QUARKS and abs(c) in _LEPTONS
    return complete and flavours and not _has_mass(a, model) and not _has_mass(c, model)


def _has_mass(fermion: int, model: Model) -> bool:
    """Whether a fermion has a mass or a Yukawa coupling."""
    yukawa = model.particle(fermion).yukawa
    return model.mass(fermion) > 0 or bool(yukawa and model[yukawa] != 0)
