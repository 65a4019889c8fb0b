"""Processes whose cross section is infinite: which limit of which particles, and a cut that would cure it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.divergences.limit_kinematics import LimitKinematics
from madnis_py.physics.divergences.singular_limits import INCOMING, Kind, Limit, limits_of
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.observables.particle_names import codes_of
from madnis_py.physics.process.flavour_groups import FlavourGroup
from madnis_py.physics.process.process import Process

_CURE = 10.0
"""GeV of the cuts that messages propose, at most; any number above 0 would do."""

_ROUNDING = 1e-9

_ORDER: tuple[Kind, ...] = ("collinear", "soft", "beam", "energy")
"""Of several divergences with one cure the first is named."""


@dataclass(frozen=True)
class Divergence:
    """A limit in which the cross section of a reaction diverges, and which the cuts leave open.

    Attributes:
        kind: see `Limit`.
        reaction: for people.
        singularity: which particles, what becomes of them, and which propagator diverges.
        cure: a cut that closes the limit, (name in [cuts], key, GeV).
    """

    kind: Kind
    reaction: str
    singularity: str
    cure: tuple[str, str, float]

    def __str__(self) -> str:
        return f'"{self.reaction}", where {self.singularity}'


def divergences_of(process: Process) -> tuple[Divergence, ...]:
    """What makes the cross section of a process infinite, one divergence for each cut that is missing.

    The cross section is finite if there is none, see docs/divergences.md.

    Args:
        process: with two incoming particles.
    """
    found: dict[tuple[str, str, float], Divergence] = {}
    for divergence in sorted(_divergences(process), key=lambda one: _ORDER.index(one.kind)):
        found.setdefault(divergence.cure, divergence)
    return tuple(found.values())


def require_finite(process: Process) -> None:
    """Refuse what cannot be integrated.

    Raises:
        CardError: the cross section is infinite and the card does not allow that, or a particle
            without width can be on its mass shell.
    """
    if process.definition.n_incoming != 2:
        return  # a decay has no cross section
    _require_widths(process)
    card = process.card
    found = divergences_of(process) if not card.process.allow_divergent else ()
    if found:
        raise card.error(
            "cuts", f"expected cuts that leave a finite cross section; got {_refusal(found, card)}"
        )


def _refusal(found: Sequence[Divergence], card: Card) -> str:
    cures = ", ".join(_entry(*one.cure, card) for one in found)
    every = found[0] if len(found) == 1 else f"{found[0]}, and {len(found) - 1} more"
    return (
        f"{every}; {cures} would do (allow_divergent = true in [process] integrates all the same)"
    )


def _entry(name: str, key: str, least: float, card: Card) -> str:
    """The line of [cuts] that has a cure, and what the card says in this line already."""
    said = card.cuts[name].model_dump(exclude_none=True) if name in card.cuts else {}
    inside = ", ".join(f"{one} = {value:.15g}" for one, value in {**said, key: least}.items())
    return f"{_key(name)} = {{ {inside} }}"


def _key(name: str) -> str:
    return name if name.isalnum() else f'"{name}"'


def divergence_warnings(process: Process) -> list[str]:
    """Sentences for results that are finite because of the sampling alone, as cards may allow."""
    if not process.card.process.allow_divergent:
        return []
    return [
        f"the cross section is infinite (allow_divergent): {divergence}; what is printed depends on the sampling"
        for divergence in divergences_of(process)
    ]


def _divergences(process: Process) -> Iterator[Divergence]:
    model, energy, fixed = (
        process.model,
        math.sqrt(process.beams.s),
        process.card.beams.pdf == "none",
    )
    for group, flavours in _by_cuts(process):
        cuts = process.selection.of(flavours[0])
        masses = [model.mass(pdg) for pdg in group.reaction.legs]
        for limit, line in limits_of(process.diagrams(group), group.reaction.legs, model).items():
            if LimitKinematics(limit, masses, energy, fixed).is_reached(cuts):
                for legs in (process.flavours[place] for place in flavours):
                    name, singularity = (
                        model.reaction_name(legs, 2),
                        _explained(limit, line, legs, model),
                    )
                    yield Divergence(limit.kind, name, singularity, _cure(limit, legs, process))


def _by_cuts(process: Process) -> Iterator[tuple[FlavourGroup, list[int]]]:
    """Each group with its combinations of flavours that have the same cuts, counted as those of the process."""
    first = 0
    for group in process.groups:
        places: dict[int, list[int]] = defaultdict(list)
        for place in range(first, first + len(group.flavours)):
            places[process.selection.index[place]].append(place)
        yield from ((group, alike) for alike in places.values())
        first += len(group.flavours)


def _explained(limit: Limit, line: int, legs: Sequence[int], model: Model) -> str:
    """The singularity of a divergence."""
    names = [model.particle_name(legs[leg]) for leg in limit.legs]
    who = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    what = {
        "soft": f"{who} from becoming soft",
        "beam": f"{who} from becoming parallel to the beam",
        "collinear": f"{who} from becoming parallel",
        "energy": f"the mass of {who} from becoming 0",
    }[limit.kind]
    return f"nothing keeps {what} (pole of the propagator of {model.particle_name(line)})"


def _cure(limit: Limit, legs: Sequence[int], process: Process) -> tuple[str, str, float]:
    names = [_cut_name(legs[leg], process.model) for leg in limit.legs]
    if len(names) == 1:
        name, observable = names[0], "pt"
    elif limit.kind == "energy" and len(names) > 2:
        name, observable = "event", "sqrt_s"
    else:
        name, observable = ",".join(names[:2]), "mass"
    return name, f"{observable}_min", _least(name, observable, process)


def _least(name: str, observable: str, process: Process) -> float:
    """10 GeV, or the power of ten that leaves most of a smaller range open."""
    model, table = process.model, process.card.cuts.get(name)
    masses = max(sum(map(model.mass, group.reaction.legs[2:])) for group in process.groups)
    _, greatest = table.ranges().get(observable, (0.0, math.inf)) if table else (0.0, math.inf)
    room = min(math.sqrt(process.beams.s) - masses, greatest)
    return min(_CURE, 10.0 ** math.floor(math.log10(room / 5))) if room > 0 else _CURE


def _cut_name(pdg: int, model: Model) -> str:
    """What [cuts] calls a particle: jets and photons by their classes."""
    return next(
        (name for name in ("jet", "photon") if pdg in codes_of(name, model)),
        model.particle_name(pdg),
    )


def _require_widths(process: Process) -> None:
    """A propagator without width must not come on its mass shell inside the cuts, where its square has no integral."""
    model = process.model
    for group, flavours in _by_cuts(process):
        limits = process.mass_limits(
            group, [cut for cut in process.selection.of(flavours[0]) if isinstance(cut, Cut)]
        )
        for pdg, legs in _without_width(process.diagrams(group), model):
            mass = model.mass(pdg)
            if mass > sum(limits.masses[leg] for leg in legs) * (
                1 + _ROUNDING
            ) and limits.reaches_pole(legs, mass):
                raise _no_width(process, pdg, [process.flavours[flavours[0]][leg] for leg in legs])


def _without_width(
    diagrams: Iterable[Diagram], model: Model
) -> dict[tuple[int, tuple[int, ...]], None]:
    """|PDG code| and final legs of all propagators in the s channel with a mass and no width, once each, in order."""
    return dict.fromkeys(
        (abs(tree.pdg), positions(tree.legs))
        for diagram in diagrams
        for tree in diagram.tree.subtrees()
        if tree.children and tree is not diagram.tree and not tree.legs & INCOMING
        if model.mass(tree.pdg) > 0 and model.width(tree.pdg) == 0
    )


def _no_width(process: Process, pdg: int, products: Iterable[int]) -> CardError:
    model = process.model
    particle, what = model.particle(pdg), " ".join(map(model.particle_name, products))
    if particle.width:
        expected = f"expected GeV > 0 where the cuts let {what} have the mass of {particle.name}"
        return process.card.error(f"parameters.{particle.width}", f"{expected}; got 0")
    expected = f"expected cuts that keep the mass of {what} from the {model.mass(pdg):g} GeV of {particle.name}"
    return process.card.error("cuts", f"{expected}, which has no width; got none")
