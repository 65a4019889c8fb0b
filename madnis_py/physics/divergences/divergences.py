"""Divergences of the cross section of a process, and cuts that remove them."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from madnis_py.card.card import Card
from madnis_py.card.cut_tables import CutTable
from madnis_py.errors import CardError
from madnis_py.physics.clustering.diagram_clustering import largest_jet_flavour
from madnis_py.physics.clustering.merging_cuts import merging_jets
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.divergences.limit_kinematics import LimitKinematics
from madnis_py.physics.divergences.singular_limits import (
    INCOMING,
    Kind,
    SingularLimit,
    singular_limits_of,
)
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.observables.particle_names import codes_of
from madnis_py.physics.process.flavour_groups import FlavourGroup
from madnis_py.physics.process.process import Process

_MOST_PROPOSED = 10.0
"""Largest minimum in GeV of the cuts that messages propose; any number above 0 would do."""

_ROUNDING = 1e-9
"""Relative distance from its threshold within which a propagator counts as at threshold."""

_ORDER: tuple[Kind, ...] = ("collinear", "soft", "beam", "energy")
"""Kinds of limits in the order in which messages prefer them, where one cut closes several."""


class MissingCut(NamedTuple):
    """A cut that closes a limit.

    Attributes:
        name: the entry of [cuts].
        key: its key, a minimum.
        minimum: in GeV.
    """

    name: str
    key: str
    minimum: float

    def entry(self, card: Card) -> str:
        """The line of [cuts] with this cut beside what the card has in that line already."""
        present = card.cuts.by_name.get(self.name)
        keys = present.model_dump(exclude_none=True) if present else {}
        name = self.name if self.name.isalnum() else f'"{self.name}"'
        return f"{name} = {_inline({**keys, self.key: self.minimum})}"


def _inline(table: Mapping[str, object]) -> str:
    """A table in one line of TOML, numbers as short as they are read back."""

    def text(value: object) -> str:
        match value:
            case Mapping():
                return _inline(value)
            case bool() | str():
                return json.dumps(value)
            case _:
                return f"{value:.15g}"

    return f"{{ {', '.join(f'{key} = {text(value)}' for key, value in table.items())} }}"


@dataclass(frozen=True)
class Divergence:
    """A limit that the cuts leave open and in which the cross section of a reaction diverges.

    Attributes:
        kind: see `SingularLimit`.
        reaction: its name, for messages.
        singularity: particles, what becomes of them, and the propagator that diverges.
        missing_cut: a cut that closes the limit.
        is_spared: whether that cut would not hold, as the card spares one of the particles.
    """

    kind: Kind
    reaction: str
    singularity: str
    missing_cut: MissingCut
    is_spared: bool

    def __str__(self) -> str:
        return f'"{self.reaction}", where {self.singularity}'


def divergences_of(process: Process) -> tuple[Divergence, ...]:
    """The divergences of the cross section of a process, one for each cut that is missing.

    The cross section is finite if there is none, see docs/divergences.md.

    Args:
        process: with two incoming particles.
    """
    divergences: list[Divergence] = []
    model, energy = process.model, math.sqrt(process.beams.s)
    fixed, spares = process.beams.partonic, process.card.cuts.spare_decay_products
    for group, flavours in _by_cuts(process):
        cuts = process.selection.of(flavours[0])
        masses = [model.mass(pdg) for pdg in group.reaction.legs]
        products = group.reaction.decay_products
        found = singular_limits_of(process.diagrams(group), group.reaction.legs, model)
        jets = _jets_of_xqcut(process, group)
        for limit, lines in found.items():
            if jets.issuperset(limit.legs) and _are_coloured(lines, model):
                continue
            if LimitKinematics(limit, masses, energy, fixed).is_reached(cuts):
                for legs in (process.flavours[place] for place in flavours):
                    divergences.append(
                        Divergence(
                            limit.kind,
                            model.reaction_name(legs, 2),
                            _singularity(limit, lines[0], legs, model),
                            _missing_cut(limit, legs, process),
                            spares and not products.isdisjoint(limit.legs),
                        )
                    )
    first: dict[MissingCut, Divergence] = {}
    divergences.sort(key=lambda one: (_ORDER.index(one.kind), not one.is_spared))
    for divergence in divergences:
        first.setdefault(divergence.missing_cut, divergence)
    return tuple(first.values())


def _jets_of_xqcut(process: Process, group: FlavourGroup) -> frozenset[int]:
    """Positions of the jets that `xqcut` keeps apart, from the beams and from being soft.

    In a diagram that diverges some of the particles of the limit leave a vertex at a kT of 0, which
    the clustering of its events meets. Quarks of a photon count as jets in some events alone.
    """
    merging = process.card.for_merging
    if not merging.xqcut > 0:
        return frozenset()
    largest = largest_jet_flavour(process.flavours)
    return frozenset(merging_jets(group.reaction.legs, group.reaction, merging, largest))


def _are_coloured(lines: Iterable[int], model: Model) -> bool:
    return all(model.particle(pdg).colour != 1 for pdg in lines)


def _singularity(limit: SingularLimit, line: int, legs: Sequence[int], model: Model) -> str:
    names = [model.particle_name(legs[leg]) for leg in limit.legs]
    who = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    what = {
        "soft": f"{who} from becoming soft",
        "beam": f"{who} from becoming parallel to the beam",
        "collinear": f"{who} from becoming parallel",
        "energy": f"the mass of {who} from becoming 0",
    }[limit.kind]
    return f"nothing keeps {what} (pole of the propagator of {model.particle_name(line)})"


def _missing_cut(limit: SingularLimit, legs: Sequence[int], process: Process) -> MissingCut:
    """A minimum of p_T of one particle, of the mass of two, or of the energy of all.

    Jets and photons are cut on by their classes.
    """
    names = [
        next(
            (name for name in ("jet", "photon") if legs[leg] in codes_of(name, process.model)),
            process.model.particle_name(legs[leg]),
        )
        for leg in limit.legs
    ]
    if len(names) == 1:
        name, observable = names[0], "pt"
    elif limit.kind == "energy" and len(names) > 2:
        name, observable = "event", "sqrt_s"
    else:
        name, observable = ",".join(names[:2]), "mass"
    return MissingCut(name, f"{observable}_min", _proposed_minimum(name, observable, process))


def _proposed_minimum(name: str, observable: str, process: Process) -> float:
    """10 GeV, or the power of ten that leaves most of a smaller range open."""
    model, table = process.model, process.card.cuts.by_name.get(name)
    masses = max(sum(map(model.mass, group.reaction.legs[2:])) for group in process.groups)
    _, greatest = table.ranges().get(observable, (0.0, math.inf)) if table else (0.0, math.inf)
    room = min(math.sqrt(process.beams.s) - masses, greatest)
    if room <= 0:
        return _MOST_PROPOSED
    return min(_MOST_PROPOSED, 10.0 ** math.floor(math.log10(room / 5)))


def _by_cuts(process: Process) -> Iterator[tuple[FlavourGroup, list[int]]]:
    """Groups of flavours, each with its combinations that have the same cuts.

    They are counted as those of the process.
    """
    first = 0
    for group in process.groups:
        places: dict[int, list[int]] = defaultdict(list)
        for place in range(first, first + len(group.flavours)):
            places[process.selection.index[place]].append(place)
        yield from ((group, alike) for alike in places.values())
        first += len(group.flavours)


def divergence_warnings(process: Process) -> list[str]:
    """Sentences for results that are finite because of the sampling alone, as cards may allow."""
    if not process.card.process.allow_divergent or process.definition.n_incoming == 1:
        return []
    return [
        f"the cross section is infinite (allow_divergent): {divergence}; "
        "what is printed depends on the sampling"
        for divergence in divergences_of(process)
    ]


def require_finite(process: Process) -> None:
    """Refuse a process whose cross section cannot be integrated.

    Raises:
        CardError: the cross section is infinite and the card does not allow that, or a particle
            without width can be on its mass shell.
    """
    if process.definition.n_incoming == 1:
        _require_finite_decay(process)
        return
    _require_widths(process)
    card = process.card
    found = divergences_of(process) if not card.process.allow_divergent else ()
    if found:
        cuts = ", ".join(dict.fromkeys(entry for one in found for entry in _entries(one, card)))
        every = found[0] if len(found) == 1 else f"{found[0]}, and {len(found) - 1} more"
        way_out = "allow_divergent = true in [process] integrates all the same"
        expected = "expected cuts that leave a finite cross section"
        raise card.error("cuts", f"{expected}; got {every}; {cuts} would do ({way_out})")


def _entries(divergence: Divergence, card: Card) -> Iterator[str]:
    """Lines of [cuts] that close a limit.

    A cut on products of decays that a card has already is in force once decay products are cut on.
    """
    missing = divergence.missing_cut
    if divergence.is_spared:
        yield "decay_products = true"
    present = card.cuts.by_name.get(missing.name, CutTable()).model_dump(exclude_none=True)
    if not (divergence.is_spared and present.get(missing.key, 0.0) > 0):
        yield missing.entry(card)


def _require_finite_decay(process: Process) -> None:
    """Refuse a propagator of a decay without width that can be on its mass shell inside the cuts.

    Without a mass it counts where it becomes two particles; where it becomes more of them, their
    phase space vanishes there.
    """
    if process.card.process.allow_divergent:
        return
    model = process.model
    for group, flavours in _by_cuts(process):
        legs_of_first = process.flavours[flavours[0]]
        limits, zero = process.mass_limits(group), process.widths(group).zero
        for tree in {
            tree
            for diagram in process.diagrams(group)
            for tree in diagram.tree.subtrees()
            if tree.children and tree is not diagram.tree
        }:
            pdg, legs, mass = abs(tree.pdg), positions(tree.legs), model.mass(tree.pdg)
            width = 0.0 if (pdg, tree.legs) in zero else model.width(pdg)
            if width > 0 or (mass == 0 and len(legs) > 2) or not limits.reaches_pole(legs, mass):
                continue
            names = " ".join(model.particle_name(legs_of_first[leg]) for leg in legs)
            expected = f"expected cuts that keep the mass of {names} from the {mass:g} GeV"
            raise process.card.error("cuts", f"{expected} of {model.particle(pdg).name}; got none")


def _require_widths(process: Process) -> None:
    """Refuse a propagator without width that can be on its mass shell inside the cuts.

    Its square has no integral there.
    """
    model = process.model
    for group, flavours in _by_cuts(process):
        legs_of_first = process.flavours[flavours[0]]
        limits = process.mass_limits(
            group, [cut for cut in process.selection.of(flavours[0]) if isinstance(cut, Cut)]
        )
        without_width = dict.fromkeys(
            (abs(tree.pdg), positions(tree.legs))
            for diagram in process.diagrams(group)
            for tree in diagram.tree.subtrees()
            if tree.children and tree is not diagram.tree and not tree.legs & INCOMING
            if model.mass(tree.pdg) > 0 and model.width(tree.pdg) == 0
        )
        for pdg, legs in without_width:
            mass, least = model.mass(pdg), sum(limits.masses[leg] for leg in legs)
            if mass > least * (1 + _ROUNDING) and limits.reaches_pole(legs, mass):
                raise _no_width(process, pdg, [legs_of_first[leg] for leg in legs])


def _no_width(process: Process, pdg: int, products: Iterable[int]) -> CardError:
    model = process.model
    particle, what = model.particle(pdg), " ".join(map(model.particle_name, products))
    if particle.width:
        expected = f"expected GeV > 0 where the cuts let {what} have the mass of {particle.name}"
        return process.card.error(f"parameters.{particle.width}", f"{expected}; got 0")
    expected = f"expected cuts that keep the mass of {what} from the {model.mass(pdg):g} GeV"
    return process.card.error(
        "cuts", f"{expected} of {particle.name}, which has no width; got none"
    )
