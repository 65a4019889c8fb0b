"""The Drell-Yan family q q~ -> photon, Z, Z' -> l+ l-: which flavours share which matrix element."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from madnis_py.card import Card
from madnis_py.physics.definition import Definition
from madnis_py.physics.matrix_element import DrellYan, MatrixElement, Mediator
from madnis_py.physics.model import Model

_QUARKS = (1, 2, 3, 4, 5)
_LEPTONS = (11, 13)
_VECTORS = {"a": "photon", "z": "Z", "zp": "Z'"}


@dataclass(frozen=True)
class Subprocess:
    """The flavours of a process that share one matrix element.

    Attributes:
        matrix_element: |M|^2 as a function of momenta alone.
        flavours: PDG codes of the external legs, incoming first, for each combination of flavours.
        colour: (colour, anticolour) of each leg in the numbers of the Les Houches format, 0 for none.
    """

    matrix_element: MatrixElement
    flavours: tuple[tuple[int, ...], ...]
    colour: tuple[tuple[int, int], ...]


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


def subprocesses(definition: Definition, card: Card, model: Model) -> tuple[Subprocess, ...]:
    """Group the flavours of a definition by matrix element: up or down quarks, quark in the first or the second beam.

    Raises:
        CardError: the definition is outside the Drell-Yan family.
    """
    groups: dict[tuple[bool, bool, bool], list[tuple[int, ...]]] = {}
    for flavours in product(*definition.legs) if _is_covered(definition) else ():
        if _is_drell_yan(flavours, model):
            key = (flavours[0] % 2 == 0, flavours[0] > 0, flavours[2] > 0)
            groups.setdefault(key, []).append(flavours)
    if not groups:
        expected = "q q~ > l+ l- through photon, Z, Z' with massless q and l = e, mu and at least QED=2"
        raise card.error(
            "process.definition", f'expected what this version computes, {expected}; got "{definition.text}"'
        )
    return tuple(_subprocess(members, model) for members in groups.values())


def _is_covered(definition: Definition) -> bool:
    """Whether this is a 2 -> 2 process without decays that keeps all its diagrams."""
    orders, core = definition.orders, definition.core
    complete = orders.get("QED", 2) >= 2 and orders.get("WEIGHTED", 4) >= 4 and not core.excluded
    return (
        complete and len(core.incoming) == 2 == len(core.outgoing) and all(leg.decay is None for leg in core.outgoing)
    )


def _is_drell_yan(flavours: tuple[int, ...], model: Model) -> bool:
    a, b, c, d = flavours
    massless = model.mass(a) == 0 == model.mass(c)
    return a == -b and c == -d and abs(a) in _QUARKS and abs(c) in _LEPTONS and massless


def _subprocess(flavours: list[tuple[int, ...]], model: Model) -> Subprocess:
    quark_first, lepton_first = flavours[0][0] > 0, flavours[0][2] > 0
    legs = ((0, 1) if quark_first else (1, 0)) + ((2, 3) if lepton_first else (3, 2))
    colour = ((501, 0), (0, 501)) if quark_first else ((0, 501), (501, 0))
    return Subprocess(
        matrix_element=DrellYan(mediators(model, abs(flavours[0][0])), legs),
        flavours=tuple(flavours),
        colour=(*colour, (0, 0), (0, 0)),
    )
